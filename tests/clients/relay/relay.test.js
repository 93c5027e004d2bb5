import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ConnectionHandler,
  ROOT_ID,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getPaginationVariables,
  getRefetchMetadata,
  getRequest,
  getSingularSelector,
  requestSubscription,
} from "relay-runtime";

import { publish, rename, signUp, untilHeard, url } from "../support/blog.js";
import {
  ChangedSubscription,
  CreateMutation,
  DeleteMutation,
  PostFragment,
  PublishedSubscription,
} from "./changes.js";
import { makeEnvironment } from "./environment.js";
import { NotesFragment, NotesQuery } from "./notes.js";

/** The posts of an author, loaded page by page as Relay's hooks do it. */
class Notes {
  constructor(environment, author) {
    this.environment = environment;
    this.operation = createOperationDescriptor(getRequest(NotesQuery), { author });
    this.retained = environment.retain(this.operation);
    const filter = { author: { username: { eq: author } } };
    this.connection = ConnectionHandler.getConnectionID(ROOT_ID, "notes_posts", { filter });
  }

  get selector() {
    const { data } = this.environment.lookup(this.operation.fragment);
    return getSingularSelector(NotesFragment, data);
  }

  get posts() {
    return this.environment.lookup(this.selector).data.posts;
  }

  get titles() {
    return this.posts.edges.map(({ node }) => node.title);
  }

  async load() {
    await fetchQuery(this.environment, NotesQuery, this.operation.request.variables).toPromise();
  }

  async loadNext(count) {
    const { connection, operation } = NotesFragment.metadata.refetch;
    const variables = getPaginationVariables(
      "forward",
      count,
      this.posts.pageInfo.endCursor,
      this.selector.variables,
      {},
      connection,
    );
    await fetchQuery(this.environment, operation, variables).toPromise();
  }

  /** Wait until the store shows something. */
  until(condition) {
    return new Promise((resolve) => {
      const subscription = this.environment.subscribe(
        this.environment.lookup(this.selector),
        () => {
          if (!condition(this)) return;
          subscription.dispose();
          resolve();
        },
      );
    });
  }
}

const commit = (environment, mutation, variables, config = {}) =>
  new Promise((resolve, reject) =>
    commitMutation(environment, {
      mutation,
      variables,
      onCompleted: (response, errors) => resolve({ response, errors }),
      onError: reject,
      ...config,
    }),
  );

test("a connection grows page by page", async () => {
  const notes = new Notes(makeEnvironment(url), "ada");
  await notes.load();
  assert.deepEqual(notes.titles, ["Note 1", "Note 2"]);
  assert.equal(notes.posts.totalCount, 5);
  assert.equal(notes.posts.pageInfo.hasNextPage, true);
  await notes.loadNext(2);
  assert.deepEqual(notes.titles, ["Note 1", "Note 2", "Note 3", "Note 4"]);
  await notes.loadNext(2);
  assert.deepEqual(notes.titles, ["Note 1", "Note 2", "Note 3", "Note 4", "Note 5"]);
  assert.equal(notes.posts.pageInfo.hasNextPage, false);
});

test("a fragment is refetched by its node", async () => {
  const { accessToken } = await signUp("radia");
  const id = await publish(accessToken, "Draft");
  const environment = makeEnvironment(url, () => accessToken);
  const { fragmentRefPathInResponse, refetchableRequest } = getRefetchMetadata(
    PostFragment,
    "refetch",
  );
  assert.deepEqual(fragmentRefPathInResponse, ["node"]);
  const read = async () => {
    const { node } = await fetchQuery(environment, refetchableRequest, { id }).toPromise();
    return environment.lookup(getSingularSelector(PostFragment, node)).data;
  };
  assert.deepEqual(await read(), { id, title: "Draft", viewCount: 0 });
  await rename(accessToken, id, "Edited");
  assert.deepEqual(await read(), { id, title: "Edited", viewCount: 0 });
});

test("a mutation appends to a connection and deletes from it", async () => {
  const { accessToken } = await signUp("mary");
  const environment = makeEnvironment(url, () => accessToken);
  const notes = new Notes(environment, "mary");
  await notes.load();
  assert.deepEqual(notes.titles, []);

  const { response, errors } = await commit(environment, CreateMutation, {
    input: { title: "First", content: "Text.", isPublished: true },
    connections: [notes.connection],
  });
  assert.equal(errors, null);
  assert.deepEqual(response.createPost.errors, []);
  assert.deepEqual(notes.titles, ["First"]);

  await commit(environment, DeleteMutation, {
    input: { id: response.createPost.post.id },
    connections: [notes.connection],
  });
  assert.deepEqual(notes.titles, []);
});

test("an updater writes what a mutation answered", async () => {
  const { accessToken } = await signUp("edith");
  const environment = makeEnvironment(url, () => accessToken);
  const notes = new Notes(environment, "edith");
  await notes.load();
  await commit(
    environment,
    CreateMutation,
    { input: { title: "First", content: "Text." }, connections: [] },
    {
      updater(store) {
        const connection = store.get(notes.connection);
        const post = store.getRootField("createPost").getLinkedRecord("post");
        const edge = ConnectionHandler.createEdge(store, connection, post, "PostEdge");
        ConnectionHandler.insertEdgeBefore(connection, edge);
      },
    },
  );
  assert.deepEqual(notes.titles, ["First"]);
});

test("what the person typed is refused in the payload", async () => {
  const { accessToken } = await signUp("lois");
  const environment = makeEnvironment(url, () => accessToken);
  const input = { title: "", content: "Text." };
  const { response } = await commit(environment, CreateMutation, { input, connections: [] });
  assert.deepEqual(response.createPost, {
    post: null,
    errors: [{ code: "INVALID", field: ["title"] }],
  });
});

test("a refused mutation comes with its code", async () => {
  const input = { title: "A", content: "B" };
  const { response, errors } = await commit(makeEnvironment(url), CreateMutation, {
    input,
    connections: [],
  });
  assert.deepEqual(response, { createPost: null });
  assert.deepEqual(
    errors.map(({ extensions }) => extensions.code),
    ["UNAUTHENTICATED"],
  );
});

test("a refused request rejects with its errors", async () => {
  const request = fetchQuery(
    makeEnvironment(url, () => "bad"),
    NotesQuery,
    { author: "ada" },
  );
  await assert.rejects(request.toPromise(), ({ source }) => {
    assert.deepEqual(
      source.errors.map(({ extensions }) => extensions.code),
      ["UNAUTHENTICATED"],
    );
    return true;
  });
});

test("published posts join a connection", async () => {
  const { accessToken } = await signUp("karen");
  const environment = makeEnvironment(url);
  const notes = new Notes(environment, "karen");
  await notes.load();
  const subscription = requestSubscription(environment, {
    subscription: PublishedSubscription,
    variables: { author: "karen", connections: [notes.connection] },
  });
  await untilHeard(
    notes.until(({ titles }) => titles.includes("News")),
    () => publish(accessToken, "News"),
  );
  subscription.dispose();
});

test("a changed post changes in the store", async () => {
  const { accessToken } = await signUp("frances");
  const id = await publish(accessToken, "Draft");
  const environment = makeEnvironment(url);
  const notes = new Notes(environment, "frances");
  await notes.load();
  assert.deepEqual(notes.titles, ["Draft"]);
  const subscription = requestSubscription(environment, {
    subscription: ChangedSubscription,
    variables: { id },
  });
  let edits = 0;
  await untilHeard(
    notes.until(({ titles }) => titles[0].startsWith("Edited")),
    () => rename(accessToken, id, `Edited ${(edits += 1)}`),
  );
  subscription.dispose();
});

test("a refused subscription has its code", async () => {
  const errors = await new Promise((resolve) => {
    requestSubscription(makeEnvironment(url), {
      subscription: ChangedSubscription,
      variables: {},
      onError: resolve,
    });
  });
  assert.deepEqual(
    errors.map(({ extensions }) => extensions.code),
    ["BAD_USER_INPUT"],
  );
});
