"""ASGI entry: HTTP to Django, sockets to `realtime`."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
_http = get_asgi_application()

from realtime.socket.routing import websocket_application  # noqa: E402 - needs the apps loaded first

application = ProtocolTypeRouter({"http": _http, "websocket": websocket_application})
