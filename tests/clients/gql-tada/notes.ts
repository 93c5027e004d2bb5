import { type FragmentOf, readFragment } from "gql.tada";

import { graphql } from "./graphql.js";

export const authorFragment = graphql(`
  fragment Author on User {
    username
    fullName
  }
`);

export const notesQuery = graphql(
  `
    query Notes($author: String!, $first: Int, $after: String) {
      posts(
        filter: { author: { username: { eq: $author } } }
        orderBy: [{ field: PUBLISHED_AT }]
        first: $first
        after: $after
      ) {
        nodes {
          id
          title
          publishedAt
          author {
            ...Author
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [authorFragment],
);

/** Only this function sees what its fragment asks for. */
export function byline(author: FragmentOf<typeof authorFragment>): string {
  const { username, fullName } = readFragment(authorFragment, author);
  return fullName ?? username;
}
