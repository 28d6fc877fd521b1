"""Labels: their schema, prompts, validation and repair."""
