"""REST: everything about bookings. Each module parses, calls one command or read, and answers."""

from ninja import Router

from booking.api import (
    availability,
    bookings,
    changes,
    checks,
    closures,
    days,
    devices,
    exchange,
    feeds,
    halls,
    holds,
    imports,
    requests,
    series,
    waiting,
    zones,
)

PARTS = (
    bookings,
    changes,
    holds,
    requests,
    series,
    availability,
    checks,
    days,
    closures,
    halls,
    waiting,
    feeds,
    exchange,
    imports,
    devices,
    zones,
)
router = Router()
for part in PARTS:
    router.add_router("", part.router)
