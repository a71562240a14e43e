"""Read and write iCalendar files (RFC 5545). Pure: no database, no clock, no network.

The `icalendar` library parses and writes the text. This package decides which events can be booked,
and which instants their times mean.
"""
