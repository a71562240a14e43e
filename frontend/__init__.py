"""Pages for people and displays. Reads the live state and the bookings; stores no data."""
