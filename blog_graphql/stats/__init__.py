"""Statistics over the whole blog."""
