"""Which rows a page lists: conditions that live in a URL."""
