"""The page Rewrite: its form, results and rows."""
