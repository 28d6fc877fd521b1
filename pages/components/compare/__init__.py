"""The page Compare: its form, results, rows and columns."""
