"""Home: the first visit with its buttons, then the study by its stages and what was found in it."""
