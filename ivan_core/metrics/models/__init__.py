"""Many models on the same pairs: agreement, likeness, what few show."""
