"""What a reward model rewards, and where it goes against the choice, told by labels."""
