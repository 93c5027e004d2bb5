import assert from "node:assert/strict";
import { test } from "node:test";

import type { ResultOf, TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { createClient } from "graphql-sse";

import { graphql } from "./__generated__/index.js";
import type { RecordPostViewInput, UserErrorCode } from "./__generated__/graphql.js";
import { NotesQuery, byline } from "./notes.js";

const ViewMutation = graphql(`
  mutation View($input: RecordPostViewInput!) {
    recordPostView(input: $input) {
      post {
        id
        viewCount
      }
      errors {
        code
      }
    }
  }
`);

const ChangedSubscription = graphql(`
  subscription Changed($id: ID!) {
    postChanged(id: $id) {
      title
    }
  }
`);

const url = `${process.env["BLOG_URL"]}/graphql`;

/** Send a generated document as it is. */
async function execute<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data } = (await response.json()) as { data: Data };
  return data;
}

test("a query gives what its type says", async () => {
  const { posts } = await execute(NotesQuery, { author: "ada", first: 1 });
  const [note] = posts.nodes;
  assert.ok(note);
  const title: string = note.title;
  const publishedAt: string | null = note.publishedAt ?? null;
  assert.equal(title, "Note 1");
  assert.equal(publishedAt, "2026-01-01T00:00:00Z");
  assert.equal(posts.pageInfo.hasNextPage, true);
  assert.equal(byline(note.author), "Ada Lovelace");
  // @ts-expect-error: the fragment is masked
  note.author.username;
  // @ts-expect-error: nobody asked for it
  note.content;
});

test("a mutation takes what its type says", async () => {
  const { posts } = await execute(NotesQuery, { author: "grace" });
  const input: RecordPostViewInput = { id: posts.nodes[0]?.id ?? "" };
  const { recordPostView } = await execute(ViewMutation, { input });
  const code: UserErrorCode | undefined = recordPostView?.errors[0]?.code;
  assert.equal(code, undefined);
  assert.deepEqual(recordPostView, { post: { id: input.id, viewCount: 1 }, errors: [] });
  // @ts-expect-error: the id is required
  const wrong: RecordPostViewInput = {};
  assert.deepEqual(wrong, {});
});

test("a subscription gives what its type says", async () => {
  const { posts } = await execute(NotesQuery, { author: "grace" });
  const id = posts.nodes[0]?.id ?? "";
  const events = createClient({ url }).iterate<ResultOf<typeof ChangedSubscription>>({
    query: print(ChangedSubscription),
    variables: { id },
  });
  const event = events.next();
  // The first views may come before the subscription has begun.
  const view = () => execute(ViewMutation, { input: { id } }).then(() => null);
  while ((await Promise.race([event, view()])) === null);
  const { value } = await event;
  const title: string | undefined = value?.data?.postChanged.title;
  assert.equal(title, "Nanoseconds");
  await events.return?.();
});
