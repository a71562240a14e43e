"""Management commands of `rooms`."""
