"""A finished run as one file to send: its sentences, its charts with their tables, and how."""
