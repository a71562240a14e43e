"""The Redis channel layer: publish changes of rooms and listen to them."""
