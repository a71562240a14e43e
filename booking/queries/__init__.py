"""Reads of bookings that need rules: free rooms, day view, alternatives, history, slot check."""
