"""Preference datasets: where they come from, how they are prepared, and reading them back."""
