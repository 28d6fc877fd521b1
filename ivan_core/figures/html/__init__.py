"""Figures and sentences as HTML that opens anywhere: it asks for nothing, and texts stay texts."""
