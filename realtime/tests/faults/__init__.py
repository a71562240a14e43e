"""Faults made on purpose, and the guarantees of the product under each. `make faults` runs them."""
