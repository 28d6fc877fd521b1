"""The demo server: a fake of both APIs, for trying out and for tests."""
