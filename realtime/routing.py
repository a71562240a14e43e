"""Socket addresses."""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path

from realtime.consumer import LiveConsumer
from realtime.handshake import HandshakeMiddleware

sockets = URLRouter([path("ws/v1/live", LiveConsumer.as_asgi())])
websocket_application = AuthMiddlewareStack(HandshakeMiddleware(sockets))
