"""Bookings: the commands that change them, the constraint that guards them, their audit log."""
