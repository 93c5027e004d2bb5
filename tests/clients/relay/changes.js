import { graphql } from "relay-runtime";

export const PostFragment = graphql`
  fragment changes_post on Post @refetchable(queryName: "changesPostQuery") {
    id
    title
    viewCount
  }
`;

export const CreateMutation = graphql`
  mutation changesCreateMutation($input: CreatePostInput!, $connections: [ID!]!) {
    createPost(input: $input) {
      post @appendNode(connections: $connections, edgeTypeName: "PostEdge") {
        id
        title
      }
      errors {
        code
        field
      }
    }
  }
`;

export const DeleteMutation = graphql`
  mutation changesDeleteMutation($input: DeletePostInput!, $connections: [ID!]!) {
    deletePost(input: $input) {
      deletedId @deleteEdge(connections: $connections) @deleteRecord
    }
  }
`;

export const PublishedSubscription = graphql`
  subscription changesPublishedSubscription($author: String!, $connections: [ID!]!) {
    postPublished(author: $author)
      @appendNode(connections: $connections, edgeTypeName: "PostEdge") {
      id
      title
    }
  }
`;

export const ChangedSubscription = graphql`
  subscription changesChangedSubscription($id: ID!) {
    postChanged(id: $id) {
      ...changes_post
    }
  }
`;
