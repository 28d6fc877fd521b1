"""Preference data as its makers lay it out; the texts are ours."""
