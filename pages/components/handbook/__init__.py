"""The handbook in the app."""
