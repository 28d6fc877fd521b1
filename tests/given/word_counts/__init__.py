"""An experiment of the tests' own: how many words each side of a pair has."""
