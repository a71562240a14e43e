"""One WebSocket connection: authentication, consumer, holds, limits."""
