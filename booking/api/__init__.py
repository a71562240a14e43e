"""REST operations about bookings. Each reads its input, calls one command or query, and answers."""

from ninja import Router

from booking.api import (
    approvals,
    availability,
    booking_actions,
    bookings,
    check_slot,
    closures,
    day_view,
    devices,
    divisions,
    exports,
    feeds,
    holds,
    imports,
    series,
    timezones,
    waitlist,
)

PARTS = (
    bookings,
    booking_actions,
    holds,
    approvals,
    series,
    availability,
    check_slot,
    day_view,
    closures,
    divisions,
    waitlist,
    feeds,
    exports,
    imports,
    devices,
    timezones,
)
router = Router()
for part in PARTS:
    router.add_router("", part.router)
