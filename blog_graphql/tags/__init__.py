"""Tags: the words that posts are found by."""
