"""The page Taxonomy: who labels, what it costs, how far it is, what came of it."""
