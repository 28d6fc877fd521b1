"""The ledger: what was sent to a paid provider, written before each call."""
