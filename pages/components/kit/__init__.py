"""What every page draws with: frame, state, text, keys, lists, figures to take away."""
