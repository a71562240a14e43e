"""WebSocket connections: authentication, consumer, holds, limits."""
