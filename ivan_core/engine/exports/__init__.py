"""Pairs of a run or a dataset as files for other tools."""
