"""Labels asked of a labeler text by text, and what finished labels say."""
