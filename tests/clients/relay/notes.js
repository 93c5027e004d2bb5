import { graphql } from "relay-runtime";

export const NotesQuery = graphql`
  query notesQuery($author: String!, $count: Int = 2, $cursor: String) {
    ...notes_posts @arguments(author: $author, count: $count, cursor: $cursor)
  }
`;

export const NotesFragment = graphql`
  fragment notes_posts on Query
  @argumentDefinitions(
    author: { type: "String!" }
    count: { type: "Int", defaultValue: 2 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "notesPageQuery") {
    posts(
      first: $count
      after: $cursor
      filter: { author: { username: { eq: $author } } }
      orderBy: [{ field: PUBLISHED_AT }]
    ) @connection(key: "notes_posts", filters: ["filter"]) {
      edges {
        node {
          id
          title
        }
      }
      totalCount
    }
  }
`;
