"""Pages that people and displays see. Knows the live state; owns no data."""
