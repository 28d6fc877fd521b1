"""What pages and the command line call: one file a noun."""
