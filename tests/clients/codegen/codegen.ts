import type { CodegenConfig } from "@graphql-codegen/cli";

const server = process.env["BLOG_URL"] ?? "http://127.0.0.1:8000";

const config: CodegenConfig = {
  schema: `${server}/schema.graphql`,
  documents: "codegen/*.ts",
  generates: {
    "codegen/__generated__/": {
      preset: "client",
      config: {
        scalars: { DateTime: "string", ID: "string" },
        strictScalars: true,
        useTypeImports: true,
      },
    },
  },
  emitLegacyCommonJSImports: false,
};

export default config;
