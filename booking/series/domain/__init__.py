"""Pure rules of recurring bookings."""
