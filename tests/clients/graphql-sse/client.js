import { createClient } from "graphql-sse";

/** For `http://127.0.0.1:8000/graphql`; `token()` is the access token, if there is one. */
export function makeSseClient(url, token = () => undefined) {
  return createClient({
    url,
    headers: () => (token() ? { authorization: `Bearer ${token()}` } : {}),
  });
}
