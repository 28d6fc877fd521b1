"""The panels of Analysis."""
