"""What a reward model rewards: regressions of margins on what labels say of the two replies."""
