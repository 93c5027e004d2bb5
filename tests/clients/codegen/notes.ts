import { type FragmentType, graphql, useFragment } from "./__generated__/index.js";

export const AuthorFragment = graphql(`
  fragment Author on User {
    username
    fullName
  }
`);

export const NotesQuery = graphql(`
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
`);

/** Fragment masking: only this function sees what its fragment asks for. */
export function byline(author: FragmentType<typeof AuthorFragment>): string {
  const { username, fullName } = useFragment(AuthorFragment, author);
  return fullName ?? username;
}
