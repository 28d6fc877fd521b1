"""Rewrite: replies reworded slightly, and what moves although the meaning did not."""
