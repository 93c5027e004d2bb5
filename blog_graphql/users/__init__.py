"""Users: who writes the blog."""
