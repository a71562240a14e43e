"""Pure functions and values of rooms and their policies."""
