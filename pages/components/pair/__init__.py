"""One pair: its replies side by side, and all that was said of it."""
