"""Charts as files to take away: figures, captions and the commands that give them again."""
