"""The labeler `ivan/lexicon`: word lists and rules in plain words, no model."""
