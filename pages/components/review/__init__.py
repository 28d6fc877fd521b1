"""The page Review: an invitation's screens, and the owner's view."""
