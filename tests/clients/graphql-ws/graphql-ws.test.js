import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { CloseCode } from "graphql-ws";
import { WebSocket } from "ws";

import { publish, rename, signUp, untilHeard, url } from "../support/blog.js";
import { makeSocketClient } from "./client.js";

const VIEWER = { query: "{ viewer { username } }" };
const PUBLISHED = "subscription ($author: String) { postPublished(author: $author) { title } }";

/** The only result of an operation. */
async function only(client, request) {
  const results = [];
  for await (const result of client.iterate(request)) results.push(result);
  assert.equal(results.length, 1);
  return results[0];
}

test("a query", async () => {
  const query =
    "query ($name: String!) { user(by: { username: $name }) { fullName posts { totalCount } } }";
  assert.deepEqual(await only(makeSocketClient(url), { query, variables: { name: "ada" } }), {
    data: { user: { fullName: "Ada Lovelace", posts: { totalCount: 5 } } },
  });
});

test("many operations at once on one socket", async () => {
  const client = makeSocketClient(url, undefined, { lazyCloseTimeout: 100 });
  const slugs = Array.from({ length: 30 }, (_, index) => index % 2);
  const results = await Promise.all(
    slugs.map((odd) => only(client, { query: `{ tags(first: ${odd}) { nodes { name } } }` })),
  );
  assert.deepEqual(
    results.map(({ data }) => data.tags.nodes.length),
    slugs,
  );
  await client.dispose();
});

test("connectionParams sign in, and a mutation writes", async () => {
  const { accessToken } = await signUp("mary");
  const client = makeSocketClient(url, () => accessToken);
  assert.deepEqual(await only(client, VIEWER), { data: { viewer: { username: "mary" } } });
  const query =
    "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { title author { username } } errors { code } } }";
  const input = { title: "Over a socket", content: "Text." };
  assert.deepEqual(await only(client, { query, variables: { input } }), {
    data: {
      createPost: { post: { title: "Over a socket", author: { username: "mary" } }, errors: [] },
    },
  });
});

test("nobody is signed in without", async () => {
  assert.deepEqual(await only(makeSocketClient(url), VIEWER), { data: { viewer: null } });
});

test("an error in a field comes beside the data", async () => {
  const query = "mutation { logout(input: {}) { errors { code } } }";
  const { data, errors } = await only(makeSocketClient(url), { query });
  assert.deepEqual(data, { logout: null });
  assert.deepEqual(
    errors.map(({ extensions }) => extensions.code),
    ["UNAUTHENTICATED"],
  );
});

for (const [name, request, code] of [
  ["a field that is not there", { query: "{ nothing }" }, "GRAPHQL_VALIDATION_FAILED"],
  ["what is no GraphQL", { query: "{" }, "GRAPHQL_PARSE_FAILED"],
  [
    "two operations without a name",
    { query: "query A { viewer { id } } query B { viewer { id } }" },
    "BAD_USER_INPUT",
  ],
  [
    "a subscription that is not there",
    { query: "subscription { nothing }" },
    "GRAPHQL_VALIDATION_FAILED",
  ],
]) {
  test(`an operation is refused, and the socket goes on: ${name}`, async () => {
    const client = makeSocketClient(url, undefined, { lazy: false });
    await assert.rejects(only(client, request), (errors) => {
      assert.deepEqual(
        errors.map(({ extensions }) => extensions.code),
        [code],
      );
      return true;
    });
    assert.deepEqual(await only(client, VIEWER), { data: { viewer: null } });
    await client.dispose();
  });
}

test("the operation that is named runs", async () => {
  const query = "query A { viewer { id } } query B { tags { totalCount } }";
  assert.deepEqual(await only(makeSocketClient(url), { query, operationName: "B" }), {
    data: { tags: { totalCount: 1 } },
  });
});

test("posts are published, one event after the other, to those who asked", async () => {
  const radia = await signUp("radia");
  const karen = await signUp("karen");
  const client = makeSocketClient(url);
  const events = client.iterate({ query: PUBLISHED, variables: { author: "radia" } });
  await untilHeard(events.next(), () => publish(radia.accessToken, "Early"));
  await publish(karen.accessToken, "By somebody else");
  await publish(radia.accessToken, "Late");
  const titles = new Set();
  while (!titles.has("Late")) titles.add((await events.next()).value.data.postPublished.title);
  assert.ok(!titles.has("By somebody else"));
  await events.return();
});

test("posts change until they are deleted", async () => {
  const { accessToken } = await signUp("lois");
  const id = await publish(accessToken, "Draft");
  const client = makeSocketClient(url, () => accessToken, { lazy: false });
  const query = "subscription ($id: ID!) { postChanged(id: $id) { id title } }";
  const events = client.iterate({ query, variables: { id } });
  let edits = 0;
  const { value } = await untilHeard(events.next(), () =>
    rename(accessToken, id, `Edited ${(edits += 1)}`),
  );
  assert.equal(value.data.postChanged.id, id);
  const remove = "mutation ($id: ID!) { deletePost(input: { id: $id }) { deletedId } }";
  await only(client, { query: remove, variables: { id } });
  while (!(await events.next()).done);
  await client.dispose();
});

test("a client that reconnects signs in anew, and its subscriptions go on", async () => {
  const frances = await signUp("frances");
  const betty = await signUp("betty");
  let token = frances.accessToken;
  const client = makeSocketClient(url, () => token, { retryWait: async () => {} });
  const events = client.iterate({ query: PUBLISHED, variables: { author: "betty" } });
  assert.deepEqual(await only(client, VIEWER), { data: { viewer: { username: "frances" } } });
  token = betty.accessToken;
  client.terminate();
  await untilHeard(events.next(), () => publish(token, "News"));
  assert.deepEqual(await only(client, VIEWER), { data: { viewer: { username: "betty" } } });
  await events.return();
});

test("a ping is answered", async () => {
  await new Promise((resolve) => {
    const client = makeSocketClient(url, undefined, {
      lazy: false,
      keepAlive: 1,
      on: { pong: (received) => received && resolve(client.dispose()) },
    });
  });
});

test("a ping that brings something is answered", async () => {
  await new Promise((resolve) => {
    const client = makeSocketClient(url, undefined, {
      lazy: false,
      on: {
        connected: (socket) => socket.send('{"type":"ping","payload":{"from":"here"}}'),
        pong: (received) => received && resolve(client.dispose()),
      },
    });
  });
});

/** The code with which the server closes a socket, on which something was done. */
const closed = (options, token, act = () => {}, address = url) =>
  new Promise((resolve) => {
    const client = makeSocketClient(address, token, {
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => {},
      ...options,
      on: { ...options.on, closed: ({ code }) => resolve(code) },
    });
    act(client);
  });

const send = (message) => ({ on: { connected: (socket) => socket.send(message) } });

for (const [name, message] of [
  ["no JSON", "{"],
  ["NaN", '{"type":"ping","payload":NaN}'],
  ["a number", "1"],
  ["null", "null"],
  ["a list", "[]"],
  ["no type", "{}"],
  ["another type", '{"type":"start"}'],
  ["a type that is no text", '{"type":{}}'],
  ["no id", '{"type":"subscribe","payload":{"query":"{ viewer { id } }"}}'],
  ["an id that is no text", '{"type":"subscribe","id":1,"payload":{"query":"{ viewer { id } }"}}'],
  ["no payload", '{"type":"subscribe","id":"1"}'],
  ["no query", '{"type":"subscribe","id":"1","payload":{}}'],
  ["a query that is no text", '{"type":"subscribe","id":"1","payload":{"query":1}}'],
  [
    "variables that are a list",
    '{"type":"subscribe","id":"1","payload":{"query":"{ viewer { id } }","variables":[]}}',
  ],
  ["a depth that ends parsers", "[".repeat(100_000)],
  ["bytes", Buffer.from('{"type":"ping"}')],
  [
    "more than the limit on bodies",
    JSON.stringify({ type: "ping", payload: { much: "x".repeat(4_000_000) } }),
  ],
]) {
  test(`a malformed message closes with 4400: ${name}`, async () => {
    assert.equal(await closed(send(message)), CloseCode.BadRequest);
  });
}

test("an operation before connection_init closes with 4401", async () => {
  const message = JSON.stringify({ id: "1", type: "subscribe", payload: VIEWER });
  const options = { on: { opened: (socket) => socket.send(message) } };
  assert.equal(await closed(options), CloseCode.Unauthorized);
});

for (const token of ["bad", "a.b.c"]) {
  test(`a refused connection_init closes with 4403: ${token}`, async () => {
    assert.equal(await closed({}, () => token), CloseCode.Forbidden);
  });
}

test("a connection_init that never comes closes with 4408", async () => {
  const address = `${process.env.BLOG_IMPATIENT_URL}/graphql`;
  const options = { connectionParams: () => new Promise(() => {}) };
  assert.equal(
    await closed(options, undefined, undefined, address),
    CloseCode.ConnectionInitialisationTimeout,
  );
});

test("an id that is taken closes with 4409", async () => {
  const subscribeTwice = (client) => {
    for (const _ of [1, 2])
      client.subscribe({ query: PUBLISHED }, { next() {}, error() {}, complete() {} });
  };
  assert.equal(
    await closed({ generateID: () => "taken" }, undefined, subscribeTwice),
    CloseCode.SubscriberAlreadyExists,
  );
});

test("a second connection_init closes with 4429", async () => {
  assert.equal(
    await closed(send('{"type":"connection_init"}')),
    CloseCode.TooManyInitialisationRequests,
  );
});

test("the protocol that graphql-ws replaced is off", async () => {
  const [code, reason] = await once(new WebSocket(url.replace(/^http/, "ws"), "graphql-ws"), "close");
  assert.equal(code, CloseCode.SubprotocolNotAcceptable);
  assert.match(String(reason), /ask for graphql-transport-ws/);
});

test("no protocol at all closes with 4406", async () => {
  const [code] = await once(new WebSocket(url.replace(/^http/, "ws")), "close");
  assert.equal(code, CloseCode.SubprotocolNotAcceptable);
});
