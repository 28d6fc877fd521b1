"""A study of one's own: the pairs that a person brings, looked at before anything runs."""
