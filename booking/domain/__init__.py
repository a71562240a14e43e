"""Pure rules of booking."""
