"""Queries about bookings: free rooms, day view, alternatives, history, slot check."""
