"""Numbers of a paper that name the run they come from, set against what the run says."""
