"""A comparison in files for others."""
