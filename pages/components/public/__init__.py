"""What a demo that is open to strangers does otherwise."""
