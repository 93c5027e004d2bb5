"""GraphQL over HTTP: what a client accepts, what it sends, and how it is answered."""
