"""Pairs as files that other tools read: one file of code a format, row by row."""
