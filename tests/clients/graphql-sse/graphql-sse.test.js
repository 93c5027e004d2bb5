import assert from "node:assert/strict";
import { test } from "node:test";

import { publish, rename, signUp, untilHeard, url } from "../support/blog.js";
import { makeSseClient } from "./client.js";

const VIEWER = { query: "{ viewer { username } }" };
const PUBLISHED = "subscription ($tag: String) { postPublished(tag: $tag) { title } }";
const CHANGED = "subscription ($id: ID!) { postChanged(id: $id) { id title } }";

/** All results of an operation that ends by itself. */
async function all(client, request) {
  const results = [];
  for await (const result of client.iterate(request)) results.push(result);
  return results;
}

test("a query", async () => {
  const query = "query ($name: String!) { user(by: { username: $name }) { fullName } }";
  assert.deepEqual(await all(makeSseClient(url), { query, variables: { name: "ada" } }), [
    { data: { user: { fullName: "Ada Lovelace" } } },
  ]);
});

test("headers sign in, and a mutation writes", async () => {
  const { accessToken } = await signUp("mary");
  const client = makeSseClient(url, () => accessToken);
  assert.deepEqual(await all(client, VIEWER), [{ data: { viewer: { username: "mary" } } }]);
  const query =
    "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { title } errors { code } } }";
  const input = { title: "Over events", content: "Text." };
  assert.deepEqual(await all(client, { query, variables: { input } }), [
    { data: { createPost: { post: { title: "Over events" }, errors: [] } } },
  ]);
});

for (const [name, request, code] of [
  ["a field that is not there", { query: "{ nothing }" }, "GRAPHQL_VALIDATION_FAILED"],
  ["what is no GraphQL", { query: "{" }, "GRAPHQL_PARSE_FAILED"],
  [
    "a subscription that is not there",
    { query: "subscription { nothing }" },
    "GRAPHQL_VALIDATION_FAILED",
  ],
  ["a bad token", VIEWER, "UNAUTHENTICATED", "bad"],
]) {
  test(`an error has its code: ${name}`, async () => {
    const client = makeSseClient(url, () => name === "a bad token" && "bad");
    const [{ errors }] = await all(client, request);
    assert.deepEqual(
      errors.map(({ extensions }) => extensions.code),
      [code],
    );
  });
}

test("posts are published, one event after the other, to those who asked", async () => {
  const { accessToken } = await signUp("radia");
  const events = makeSseClient(url).iterate({ query: PUBLISHED, variables: { tag: "networks" } });
  await untilHeard(events.next(), () => publish(accessToken, "Early", ["networks"]));
  await publish(accessToken, "Something else", ["notes"]);
  await publish(accessToken, "Late", ["news", "Networks"]);
  const titles = new Set();
  while (!titles.has("Late")) titles.add((await events.next()).value.data.postPublished.title);
  assert.ok(!titles.has("Something else"));
  await events.return();
});

test("posts change until they are deleted, which completes the stream", async () => {
  const { accessToken } = await signUp("lois");
  const id = await publish(accessToken, "Draft");
  const client = makeSseClient(url, () => accessToken);
  const events = client.iterate({ query: CHANGED, variables: { id } });
  let edits = 0;
  const { value } = await untilHeard(events.next(), () =>
    rename(accessToken, id, `Edited ${(edits += 1)}`),
  );
  assert.equal(value.data.postChanged.id, id);
  const remove = "mutation ($id: ID!) { deletePost(input: { id: $id }) { deletedId } }";
  await all(client, { query: remove, variables: { id } });
  while (!(await events.next()).done);
});

test("many subscriptions at once, each on a connection of its own", async () => {
  const { accessToken } = await signUp("frances");
  const id = await publish(accessToken, "Draft");
  const client = makeSseClient(url);
  const streams = Array.from({ length: 20 }, () =>
    client.iterate({ query: CHANGED, variables: { id } }),
  );
  let edits = 0;
  const events = await untilHeard(Promise.all(streams.map((stream) => stream.next())), () =>
    rename(accessToken, id, `Edited ${(edits += 1)}`),
  );
  assert.deepEqual(
    events.map(({ value }) => value.data.postChanged.id),
    Array(20).fill(id),
  );
  await Promise.all(streams.map((stream) => stream.return()));
});

test("disposing of the client aborts its streams", async () => {
  const connected = [];
  const client = makeSseClient(url);
  const events = client.iterate(
    { query: PUBLISHED },
    { connected: () => connected.push(client.dispose()) },
  );
  await events.next().catch(() => {});
  assert.equal(connected.length, 1);
});
