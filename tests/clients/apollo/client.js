import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { relayStylePagination } from "@apollo/client/utilities";

/** For `http://127.0.0.1:8000/graphql`; `token()` is the access token, if there is one. */
export function makeApolloClient(url, token = () => undefined) {
  const authorize = new SetContextLink(({ headers }) => ({
    headers: token() ? { ...headers, authorization: `Bearer ${token()}` } : headers,
  }));
  return new ApolloClient({
    link: authorize.concat(new HttpLink({ uri: url })),
    cache: new InMemoryCache({
      typePolicies: {
        Query: { fields: { posts: relayStylePagination(["filter", "orderBy"]) } },
      },
    }),
  });
}
