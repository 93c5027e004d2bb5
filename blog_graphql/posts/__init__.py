"""Posts: what the blog is made of."""
