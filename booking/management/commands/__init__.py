"""Commands of `manage.py` for bookings: import, export, and the time zone of a building."""
