"""The URL of the WebSocket and its middleware."""

from channels.routing import URLRouter
from channels.sessions import SessionMiddlewareStack
from django.urls import path

from realtime.socket.authentication import SocketAuthenticationMiddleware
from realtime.socket.consumer import LiveConsumer

sockets = URLRouter([path("ws/v1/live", LiveConsumer.as_asgi())])
websocket_application = SessionMiddlewareStack(SocketAuthenticationMiddleware(sockets))
