"""Labels in files for others."""
