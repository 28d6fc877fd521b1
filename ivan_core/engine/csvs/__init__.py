"""Results that come as CSV files: which files belong together, and their cells."""
