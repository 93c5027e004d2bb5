import graphql from "@graphql-eslint/eslint-plugin";

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "schema.graphql" } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // `nodes` stands beside `edges`.
      "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
      "@graphql-eslint/require-nullable-fields-with-oneof": "error",
      // What is no node has no identity.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            types: ["BlogStats", "PageInfo", "RateLimit", "UserError"],
            suffixes: ["Connection", "Count", "Edge", "Payload"],
          },
        },
      ],
      // `username` is the word.
      "@graphql-eslint/no-typename-prefix": "off",
    },
  },
];
