"""What the page Words shows."""
