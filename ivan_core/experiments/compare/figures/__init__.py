"""The charts of a comparison that can be had as figures."""
