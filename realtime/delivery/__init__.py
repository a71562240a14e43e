"""The way of a frame to one connection: encoded frames, send queue, transports."""
