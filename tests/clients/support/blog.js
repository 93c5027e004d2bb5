// The blog that pytest serves: ada has five notes, grace one. See conftest.py.
import { WebSocket } from "ws";

// Browsers have one, and Node from version 22 on.
globalThis.WebSocket ??= WebSocket;

export const url = `${process.env.BLOG_URL}/graphql`;

/** The data of an operation, sent without any client. */
export async function ask(query, variables, token = "") {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: token && `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Make a user; gives what they sign in with. */
export async function signUp(username) {
  await ask(
    `mutation ($input: CreateUserInput!) { createUser(input: $input) { errors { message } } }`,
    { input: { username, email: `${username}@example.org`, password: "correct horse" } },
  );
  const { login } = await ask(
    `mutation ($input: LoginInput!) { login(input: $input) { accessToken refreshToken } }`,
    { input: { identifier: username, password: "correct horse" } },
  );
  return login;
}

/** Publish a post; gives its id. */
export async function publish(token, title, tags = []) {
  const { createPost } = await ask(
    `mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } } }`,
    { input: { title, content: "Text.", isPublished: true, tags } },
    token,
  );
  return createPost.post.id;
}

/** Give a post a title. */
export async function rename(token, id, title) {
  await ask(
    `mutation ($input: UpdatePostInput!) { updatePost(input: $input) { errors { message } } }`,
    { input: { id, title } },
    token,
  );
}

/**
 * Do something until it was heard of, and give what was heard.
 *
 * No client is told when its subscription begins, so the first event may come too early for it.
 */
export async function untilHeard(heard, act) {
  let isOver = false;
  const over = () => (isOver = true);
  heard.then(over, over);
  const patience = AbortSignal.timeout(60_000);
  while (!isOver) {
    patience.throwIfAborted();
    await act();
  }
  return heard;
}
