"""One folder an experiment; a file of one name does the same in each of them."""
