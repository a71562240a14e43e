"""Read and write tables of bookings (CSV). Pure."""
