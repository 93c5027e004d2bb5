"""What the GraphQL of every domain shares."""
