"""What people say of rows: stars, notes and blind second choices."""
