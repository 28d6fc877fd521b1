"""The rewriter `ivan/rules`: curated contractions, synonyms and changes of order, no model."""
