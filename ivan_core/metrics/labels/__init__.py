"""What labelers say of texts: answers as arrays, shares, agreement, sentences."""
