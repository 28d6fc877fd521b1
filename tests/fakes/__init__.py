"""Things that act: models, providers, servers and workers in place of the real ones."""
