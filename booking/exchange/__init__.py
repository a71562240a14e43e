"""Bookings from and for other programs: calendars, tables, feeds."""
