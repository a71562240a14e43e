"""Commands of `manage.py` for bookings."""
