"""The unit of work of a booking command: read a snapshot, decide, write if nothing changed."""
