"""Bookings as values, the checks of the rules, and the errors of booking. Pure."""
