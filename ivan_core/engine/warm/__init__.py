"""Asking the warm worker, a process that keeps models loaded while people wait."""
