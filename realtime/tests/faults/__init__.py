"""Faults made on purpose, and what the product promises under each. Run them with `make faults`."""
