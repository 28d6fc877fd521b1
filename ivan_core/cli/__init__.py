"""The command line: it reads options, calls the workspace and prints."""
