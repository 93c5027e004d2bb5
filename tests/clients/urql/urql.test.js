import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from "@urql/core";

import { makeSseClient } from "../graphql-sse/client.js";
import { publish, rename, signUp, untilHeard, url } from "../support/blog.js";
import { makeUrqlClient } from "./client.js";
import { socketExchange } from "./socket.js";

const NOTES = gql`
  query Notes($author: String!, $first: Int = 2, $after: String) {
    posts(
      filter: { author: { username: { eq: $author } } }
      orderBy: [{ field: PUBLISHED_AT }]
      first: $first
      after: $after
    ) {
      nodes {
        id
        title
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

const CREATE = gql`
  mutation Create($input: CreatePostInput!) {
    createPost(input: $input) {
      post {
        id
        title
      }
      errors {
        code
        field
      }
    }
  }
`;

const PUBLISHED = gql`
  subscription Published($author: String) {
    postPublished(author: $author) {
      id
      title
      author {
        username
      }
    }
  }
`;

const CHANGED = gql`
  subscription Changed($id: ID!) {
    postChanged(id: $id) {
      id
      title
    }
  }
`;

const titles = ({ data }) => data.posts.nodes.map(({ title }) => title);

/** The first result of a source for which a condition holds; the source is then left. */
const first = (source, condition = () => true) =>
  new Promise((resolve) => {
    const { unsubscribe } = source.subscribe((result) => {
      if (!condition(result)) return;
      resolve(result);
      // Not before urql waits for what comes next: aborted earlier, it rejects what nobody catches.
      setImmediate(() => unsubscribe());
    });
  });

/** A client that leaves subscriptions to an exchange. */
const makeClientWith = (exchange) =>
  new Client({ url, exchanges: [cacheExchange, fetchExchange, exchange] });

/** As graphql-sse's own documentation has it. */
function sseExchange() {
  const events = makeSseClient(url);
  return subscriptionExchange({
    forwardSubscription: (operation) => ({
      subscribe: (sink) => ({ unsubscribe: events.subscribe(operation, sink) }),
    }),
  });
}

for (const preferGetMethod of [undefined, false, true]) {
  test(`pages, with preferGetMethod ${preferGetMethod}`, async () => {
    const client = new Client({ url, preferGetMethod, exchanges: [cacheExchange, fetchExchange] });
    const page = await client.query(NOTES, { author: "ada", first: 3 });
    assert.equal(page.error, undefined);
    assert.deepEqual(titles(page), ["Note 1", "Note 2", "Note 3"]);
    const { hasNextPage, endCursor } = page.data.posts.pageInfo;
    assert.equal(hasNextPage, true);
    const last = await client.query(NOTES, { author: "ada", first: 3, after: endCursor });
    assert.deepEqual(titles(last), ["Note 4", "Note 5"]);
    assert.equal(last.data.posts.pageInfo.hasNextPage, false);
  });
}

test("a query that mentions streams is answered with plain JSON", async () => {
  const accepted = [];
  const types = [];
  const watched = async (...request) => {
    const response = await fetch(...request);
    accepted.push(request[1].headers.accept);
    types.push(response.headers.get("Content-Type"));
    return response;
  };
  const client = new Client({ url, fetch: watched, exchanges: [fetchExchange] });
  await client.query(NOTES, { author: "ada" });
  assert.match(accepted[0], /text\/event-stream/);
  assert.match(types[0], /^application\/graphql-response\+json(;|$)/);
});

test("a mutation refreshes what the document cache shows", async () => {
  const { accessToken } = await signUp("mary");
  const client = makeUrqlClient(url, () => accessToken);
  // Asked once before, so that it is in the cache.
  await publish(accessToken, "First");
  const notes = client.query(NOTES, { author: "mary" });
  assert.deepEqual(titles(await notes), ["First"]);
  const shown = first(notes, (result) => !result.stale && titles(result).length === 2);
  const { data, error } = await client.mutation(CREATE, {
    input: { title: "Second", content: "Text.", isPublished: true },
  });
  assert.equal(error, undefined);
  assert.deepEqual(data.createPost.errors, []);
  assert.deepEqual(titles(await shown), ["First", "Second"]);
});

test("what the person typed is refused in the payload", async () => {
  const { accessToken } = await signUp("edith");
  const { data, error } = await makeUrqlClient(url, () => accessToken).mutation(CREATE, {
    input: { title: "", content: "Text." },
  });
  assert.equal(error, undefined);
  assert.deepEqual(
    data.createPost.errors.map(({ code, field }) => ({ code, field })),
    [{ code: "INVALID", field: ["title"] }],
  );
});

const POST = { input: { title: "A", content: "B" } };

for (const [name, document, variables, token, code] of [
  [
    "a query, by GET",
    gql`
      {
        nothing
      }
    `,
    {},
    undefined,
    "GRAPHQL_VALIDATION_FAILED",
  ],
  ["signed out", CREATE, POST, undefined, "UNAUTHENTICATED"],
  ["a bad token", CREATE, POST, "bad", "UNAUTHENTICATED"],
  [
    "no such field",
    gql`
      mutation {
        nothing
      }
    `,
    {},
    undefined,
    "GRAPHQL_VALIDATION_FAILED",
  ],
  ["a missing variable", CREATE, {}, undefined, "BAD_USER_INPUT"],
]) {
  test(`an error has its code: ${name}`, async () => {
    const client = makeUrqlClient(url, () => token);
    const kind = document.definitions[0].operation;
    const { error } = await client[kind](document, variables);
    assert.equal(error.networkError, undefined);
    assert.deepEqual(
      error.graphQLErrors.map(({ extensions }) => extensions.code),
      [code],
    );
  });
}

for (const [name, makeClient] of [
  ["fetchSubscriptions", () => makeUrqlClient(url)],
  ["graphql-sse", () => makeClientWith(sseExchange())],
  ["graphql-ws", () => makeClientWith(socketExchange(url))],
]) {
  test(`posts are published over ${name}`, async () => {
    const author = `radia-${name}`;
    const { accessToken } = await signUp(author);
    const event = first(makeClient().subscription(PUBLISHED, { author }));
    const { data, error } = await untilHeard(event, () => publish(accessToken, "News"));
    assert.equal(error, undefined);
    assert.equal(data.postPublished.title, "News");
    assert.equal(data.postPublished.author.username, author);
  });

  test(`posts change over ${name}, again and again`, async () => {
    const { accessToken } = await signUp(`karen-${name}`);
    const id = await publish(accessToken, "Draft");
    let seen = 0;
    let edits = 0;
    const second = first(makeClient().subscription(CHANGED, { id }), () => (seen += 1) === 2);
    const { data } = await untilHeard(second, () =>
      rename(accessToken, id, `Edited ${(edits += 1)}`),
    );
    assert.equal(data.postChanged.id, id);
    assert.match(data.postChanged.title, /^Edited /);
  });

  test(`a subscription is refused with its code over ${name}`, async () => {
    const { error } = await first(
      makeClient().subscription(
        gql`
          subscription {
            nothing
          }
        `,
        {},
      ),
    );
    assert.equal(error.networkError, undefined, error);
    assert.deepEqual(
      error.graphQLErrors.map(({ extensions }) => extensions.code),
      ["GRAPHQL_VALIDATION_FAILED"],
    );
  });
}
