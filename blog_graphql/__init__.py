"""A GraphQL blog server over users, posts and tags."""

__version__ = "0.1.0"
