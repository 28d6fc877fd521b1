"""What Home draws: the one button, what the newest comparison found, and where to go on."""
