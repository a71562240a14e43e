"""Meeting Rooms: the project that composes the apps (settings, urls, asgi, embedded servers)."""

__version__ = "0.1.0"
