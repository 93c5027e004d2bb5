import assert from "node:assert/strict";
import { test } from "node:test";

import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { ReplaySubject, filter, firstValueFrom, map } from "rxjs";

import { publish, rename, signUp, untilHeard, url } from "../support/blog.js";
import { makeApolloClient } from "./client.js";
import { withSocket } from "./socket.js";

const NOTES = gql`
  query Notes($author: String!, $first: Int = 2, $after: String) {
    posts(
      filter: { author: { username: { eq: $author } } }
      orderBy: [{ field: PUBLISHED_AT }]
      first: $first
      after: $after
    ) {
      edges {
        node {
          id
          title
          author {
            id
            username
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`;

const CREATE = gql`
  mutation Create($input: CreatePostInput!) {
    createPost(input: $input) {
      post {
        id
        title
        author {
          id
          username
        }
      }
      errors {
        code
        message
        field
      }
    }
  }
`;

const RENAME = gql`
  mutation Rename($input: UpdatePostInput!) {
    updatePost(input: $input) {
      post {
        id
        title
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

const titles = ({ posts }) => posts.edges.map(({ node }) => node.title);

/** A client whose subscriptions go over a WebSocket. */
function makeLiveClient() {
  const client = makeApolloClient(url);
  client.setLink(withSocket(client.link, url));
  return client;
}

/** Watch a query, as a component does; gives a function that waits for what is shown. */
function watch(t, client, options) {
  const query = client.watchQuery(options);
  const results = new ReplaySubject(1);
  const subscription = query.subscribe(results);
  t.after(() => subscription.unsubscribe());
  const shown = (condition = () => true) =>
    firstValueFrom(
      results.pipe(
        filter(({ data, dataState }) => dataState === "complete" && condition(data)),
        map(({ data }) => data),
      ),
    );
  return { query, shown };
}

test("a query", async () => {
  const { data } = await makeApolloClient(url).query({
    query: NOTES,
    variables: { author: "ada", first: 1 },
  });
  const [{ node }] = data.posts.edges;
  assert.equal(data.posts.totalCount, 5);
  assert.equal(node.__typename, "Post");
  assert.equal(node.title, "Note 1");
  assert.equal(node.author.username, "ada");
});

test("a query in the address", async () => {
  const link = new HttpLink({ uri: url, useGETForQueries: true });
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const { data } = await client.query({ query: NOTES, variables: { author: "ada", first: 1 } });
  assert.deepEqual(titles(data), ["Note 1"]);
});

test("pages are merged by relayStylePagination", async (t) => {
  const client = makeApolloClient(url);
  const notes = watch(t, client, { query: NOTES, variables: { author: "ada" } });
  const first = await notes.shown();
  assert.deepEqual(titles(first), ["Note 1", "Note 2"]);
  assert.equal(first.posts.pageInfo.hasNextPage, true);

  await notes.query.fetchMore({ variables: { after: first.posts.pageInfo.endCursor } });
  const second = await notes.shown((data) => titles(data).length === 4);
  assert.deepEqual(titles(second), ["Note 1", "Note 2", "Note 3", "Note 4"]);

  await notes.query.fetchMore({ variables: { after: second.posts.pageInfo.endCursor } });
  const third = await notes.shown((data) => titles(data).length === 5);
  assert.deepEqual(titles(third), ["Note 1", "Note 2", "Note 3", "Note 4", "Note 5"]);
  assert.equal(third.posts.pageInfo.hasNextPage, false);
  // Another author's are kept apart.
  const { data } = await client.query({ query: NOTES, variables: { author: "grace" } });
  assert.deepEqual(titles(data), ["Nanoseconds"]);
});

test("a mutation updates the cache", async (t) => {
  const { accessToken } = await signUp("mary");
  const client = makeApolloClient(url, () => accessToken);
  const notes = watch(t, client, { query: NOTES, variables: { author: "mary" } });
  assert.deepEqual(titles(await notes.shown()), []);

  const { data } = await client.mutate({
    mutation: CREATE,
    variables: { input: { title: "First", content: "Text.", isPublished: true } },
    update(cache, { data: { createPost } }) {
      cache.updateQuery({ query: NOTES, variables: { author: "mary" } }, ({ posts }) => ({
        posts: {
          ...posts,
          totalCount: posts.totalCount + 1,
          edges: [...posts.edges, { __typename: "PostEdge", node: createPost.post }],
        },
      }));
    },
  });
  const { post, errors } = data.createPost;
  assert.deepEqual(errors, []);
  assert.deepEqual(titles(await notes.shown(({ posts }) => posts.totalCount === 1)), ["First"]);

  // Global IDs: the changed post is found in the cache by itself.
  await client.mutate({ mutation: RENAME, variables: { input: { id: post.id, title: "Second" } } });
  await notes.shown((data) => titles(data)[0] === "Second");
});

test("what the person typed is refused in the payload", async () => {
  const { accessToken } = await signUp("edith");
  const { data } = await makeApolloClient(url, () => accessToken).mutate({
    mutation: CREATE,
    variables: { input: { title: "", content: "Text." } },
  });
  assert.equal(data.createPost.post, null);
  const [{ code, field }] = data.createPost.errors;
  assert.deepEqual({ code, field }, { code: "INVALID", field: ["title"] });
});

const POST = { input: { title: "A", content: "B" } };

for (const [name, mutation, variables, token, code] of [
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
    const client = makeApolloClient(url, () => token);
    await assert.rejects(client.mutate({ mutation, variables }), (error) => {
      assert.ok(CombinedGraphQLErrors.is(error), error);
      assert.deepEqual(
        error.errors.map(({ extensions }) => extensions.code),
        [code],
      );
      return true;
    });
  });
}

for (const [transport, makeClient] of [
  ["multipart HTTP", () => makeApolloClient(url)],
  ["WebSocket", makeLiveClient],
]) {
  test(`posts are published over ${transport}`, async () => {
    const author = `radia-${transport.slice(0, 3)}`;
    const { accessToken } = await signUp(author);
    const events = makeClient().subscribe({ query: PUBLISHED, variables: { author } });
    const { data } = await untilHeard(firstValueFrom(events), () => publish(accessToken, "News"));
    assert.equal(data.postPublished.title, "News");
    assert.equal(data.postPublished.author.username, author);
  });

  test(`a changed post changes what is shown, over ${transport}`, async (t) => {
    const author = `karen-${transport.slice(0, 3)}`;
    const { accessToken } = await signUp(author);
    const id = await publish(accessToken, "Draft");
    const client = makeClient();
    const notes = watch(t, client, { query: NOTES, variables: { author } });
    assert.deepEqual(titles(await notes.shown()), ["Draft"]);
    const changes = client.subscribe({ query: CHANGED, variables: { id } }).subscribe(() => {});
    let edits = 0;
    await untilHeard(
      notes.shown((data) => titles(data)[0] !== "Draft"),
      () => rename(accessToken, id, `Edited ${(edits += 1)}`),
    );
    changes.unsubscribe();
  });

  test(`a subscription is refused with its code over ${transport}`, async () => {
    const events = makeClient().subscribe({
      query: gql`
        subscription {
          nothing
        }
      `,
    });
    const { error } = await firstValueFrom(events);
    assert.ok(CombinedGraphQLErrors.is(error), error);
    assert.equal(error.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  });
}
