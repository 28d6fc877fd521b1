"""The nouns of the field: pairs, rewards, models, runs. Standard library and pydantic only."""
