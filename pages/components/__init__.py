"""Pieces of pages: one folder a page, what all of them draw with, and one pair."""
