import { Client, cacheExchange, fetchExchange } from "@urql/core";

/** For `http://127.0.0.1:8000/graphql`; `token()` is the access token, if there is one. */
export function makeUrqlClient(url, token = () => undefined) {
  return new Client({
    url,
    fetchOptions: () => ({ headers: token() ? { authorization: `Bearer ${token()}` } : {} }),
    fetchSubscriptions: true,
    exchanges: [cacheExchange, fetchExchange],
  });
}
