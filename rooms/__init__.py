"""Buildings, floors, rooms, closures, and the policies of booking."""
