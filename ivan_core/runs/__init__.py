"""The shape of a run: registry, locks, parts, cache and export. It takes step functions as arguments."""
