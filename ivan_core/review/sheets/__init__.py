"""Reviewing without the app: a queue as a workbook, and its answers taken back."""
