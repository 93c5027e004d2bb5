import { createClient } from "graphql-ws";

/** For `http://127.0.0.1:8000/graphql`; `token()` is the access token, if there is one. */
export function makeSocketClient(url, token = () => undefined, options = {}) {
  return createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: () => (token() ? { authorization: `Bearer ${token()}` } : {}),
    ...options,
  });
}
