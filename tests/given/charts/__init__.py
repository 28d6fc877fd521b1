"""What tests of charts draw and measure."""
