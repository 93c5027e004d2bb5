// GraphQL Inspector over the schema; package.json runs the rules of ESLint before it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { diff, similar, validate } from "@graphql-inspector/core";
import {
  Source,
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  printSchema,
} from "graphql";

import { ask, url } from "../support/blog.js";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

const committed = buildSchema(read("../../../schema.graphql"));

test("the server introspects as the committed schema", async () => {
  const options = { inputValueDeprecation: true, oneOf: true, specifiedByUrl: true };
  const introspected = buildClientSchema(await ask(getIntrospectionQuery(options)));
  assert.deepEqual(await diff(committed, buildSchema(printSchema(introspected))), []);
});

test("the server serves the committed schema", async () => {
  const response = await fetch(new URL("/schema.graphql", url));
  assert.deepEqual(await diff(committed, buildSchema(await response.text())), []);
});

test("documents are valid and use nothing deprecated", () => {
  const documents = [new Source(read("./documents.graphql"), "documents.graphql")];
  assert.deepEqual(validate(committed, documents), []);
});

test("a document that is wrong is found out", () => {
  const [{ errors }] = validate(committed, [new Source("{ posts { nothing } }")]);
  assert.match(errors[0].message, /Cannot query field "nothing" on type "PostConnection"/);
});

test("no type is written twice", () => {
  assert.deepEqual(similar(committed, undefined, 1), {});
});
