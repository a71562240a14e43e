"""Bookings as a table (CSV). Pure."""
