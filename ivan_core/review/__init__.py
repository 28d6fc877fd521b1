"""Review: people judge pairs and texts, and how far they agree with each other and with models."""
