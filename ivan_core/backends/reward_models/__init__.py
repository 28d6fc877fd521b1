"""Reward models of the hub or a directory: their files, input formats, loading, scoring."""
