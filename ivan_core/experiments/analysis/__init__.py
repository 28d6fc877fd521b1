"""What a reward model rewards, and where it goes against people: comparisons joined with labels."""
