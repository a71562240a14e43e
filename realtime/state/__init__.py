"""Pure rules of live room state: they use no Django, no store and no clock."""
