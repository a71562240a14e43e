"""Formats of the one language that pages are written in."""
