"""The shape of a run: registry, locks, parts, cache. It takes step functions as arguments."""
