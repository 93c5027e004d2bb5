"""Password hashes, tokens and the keys that sign them: no SQL, no GraphQL."""
