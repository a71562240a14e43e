"""The Redis channel layer: publishing changes and listening to them."""
