"""Best and worst words: each word of a list as a one-word reply, scored by two models. A teaser."""
