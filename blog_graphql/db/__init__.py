"""The database: models, engine and sessions, visibility, filters and keyset pages."""
