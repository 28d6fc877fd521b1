"""Which rows or texts a page lists: conditions that live in a URL. No experiment is known here."""
