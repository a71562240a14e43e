"""Live room state: projector, ticker, hub and sockets."""
