"""The demo: a small campus, its people, a believable week, and a simulator that keeps it alive.

Never on in production: a system check refuses DEMO together with HTTPS.
"""
