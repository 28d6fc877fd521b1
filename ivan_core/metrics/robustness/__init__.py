"""What moves when texts are reworded: numbers, tables and sentences."""
