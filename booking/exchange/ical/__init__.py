"""iCalendar (RFC 5545) in and out. Pure: no store, no clock, no network.

Parsing and writing is the `icalendar` library's; what may be booked, and what a time means, is
decided here.
"""
