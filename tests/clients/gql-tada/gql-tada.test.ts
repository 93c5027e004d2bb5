import assert from "node:assert/strict";
import { test } from "node:test";

import type { ResultOf, VariablesOf } from "gql.tada";
import { print } from "graphql";

import { graphql } from "./graphql.js";
import { byline, notesQuery } from "./notes.js";

const userQuery = graphql(`
  query User($by: UserBy!) {
    user(by: $by) {
      role
      posts(first: 1) {
        totalCount
      }
    }
  }
`);

const changedSubscription = graphql(`
  subscription Changed($id: ID!) {
    postChanged(id: $id) {
      title
    }
  }
`);

async function execute<Document extends Parameters<typeof print>[0]>(
  document: Document,
  variables: VariablesOf<Document>,
): Promise<ResultOf<Document>> {
  const response = await fetch(`${process.env["BLOG_URL"]}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data } = (await response.json()) as { data: ResultOf<Document> };
  return data;
}

test("a query gives what its type says", async () => {
  const { posts } = await execute(notesQuery, { author: "ada", first: 1 });
  const [note] = posts.nodes;
  assert.ok(note);
  const title: string = note.title;
  const publishedAt: string | null = note.publishedAt;
  assert.equal(title, "Note 1");
  assert.equal(publishedAt, "2026-01-01T00:00:00Z");
  assert.equal(posts.pageInfo.hasNextPage, true);
  assert.equal(byline(note.author), "Ada Lovelace");
  // @ts-expect-error: the fragment is masked
  note.author.username;
  // @ts-expect-error: nobody asked for it
  note.content;
});

test("a lookup takes one of its keys, and an enum is one of its names", async () => {
  const { user } = await execute(userQuery, { by: { username: "ada" } });
  const role: "AUTHOR" | "EDITOR" | "ADMIN" | undefined = user?.role;
  assert.equal(role, "AUTHOR");
  assert.equal(user?.posts.totalCount, 5);
  // @ts-expect-error: a lookup has a key
  const wrong: VariablesOf<typeof userQuery> = { by: {} };
  assert.deepEqual(wrong, { by: {} });
});

test("a subscription is a document like any other", () => {
  const title = (changed: ResultOf<typeof changedSubscription>): string =>
    changed.postChanged.title;
  assert.equal(title({ postChanged: { title: "Edited" } }), "Edited");
});
