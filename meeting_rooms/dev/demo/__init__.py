"""The demo: a small campus, its people, a realistic week of bookings, and a simulator.

Never active in production: a system check refuses DEMO together with HTTPS.
"""
