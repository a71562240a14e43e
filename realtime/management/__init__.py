"""Commands of `manage.py` for live state."""
