"""Rewordings: what is reworded of a pair, in which style, and which answers are accepted."""
