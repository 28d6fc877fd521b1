"""Columns of numbers that users add to a dataset."""
