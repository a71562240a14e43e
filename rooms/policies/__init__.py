"""Booking policies: stored for campus, buildings and rooms, resolved to one policy per room."""
