"""Sending frames to one connection: encoded frames, send queue, transports."""
