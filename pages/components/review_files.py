"""Reviewing without the app: a queue as a spreadsheet, sheets that come back, and a backup."""

from __future__ import annotations


def files(dataset: str) -> None:
    """Draw the downloads of a dataset's queues and the import of filled-in sheets."""
