"""Compare: two replies, several reward models, and where they part."""
