"""Made tables, for tests of metrics and charts."""
