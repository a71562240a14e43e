"""Pure rules of live room state. No Django, no store, no clock of its own."""
