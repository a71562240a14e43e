"""Recurring bookings: their commands, their rows and the evaluation of their dates."""
