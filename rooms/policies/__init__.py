"""Booking policies: stored per campus, building and room, resolved to one policy per room."""
