"""Buildings, floors, rooms, opening hours and closures."""
