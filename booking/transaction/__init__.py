"""The unit of work of a booking command: read a snapshot, decide, write under a guard."""
