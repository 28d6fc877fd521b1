"""Experiments: a spec and its steps. They see protocols, never adapters."""
