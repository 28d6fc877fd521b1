"""The nouns of the field: pairs, transcripts, rewards, models, runs. Standard library and pydantic only."""
