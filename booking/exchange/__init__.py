"""Import and export of bookings: iCalendar files, CSV tables and calendar feeds."""
