"""Adapters to models and servers. Heavy libraries are imported here only, inside functions."""
