"""Meeting Rooms: the Django project around the apps (settings, urls, asgi, embedded servers)."""

__version__ = "0.1.0"
