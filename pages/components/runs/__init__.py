"""What the page Runs draws: every run with its state, and what can be done with one."""
