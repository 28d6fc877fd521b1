"""The command line: it reads options, calls what it names and prints."""
