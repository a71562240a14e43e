"""Socket addresses."""

from channels.routing import URLRouter
from channels.sessions import SessionMiddlewareStack
from django.urls import path

from realtime.consumer import LiveConsumer
from realtime.handshake import HandshakeMiddleware

sockets = URLRouter([path("ws/v1/live", LiveConsumer.as_asgi())])
websocket_application = SessionMiddlewareStack(HandshakeMiddleware(sockets))
