"""For how long a room has been proved empty. Pure.

Only readings prove it. Silence proves nothing: not that somebody is there, nor that nobody is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from realtime.state.derive import SENSOR_STALE_AFTER

Sighting = tuple[datetime, bool]  # when a sensor reported, and whether it saw people


def empty_for(sightings: Iterable[Sighting], *, since: datetime, now: datetime) -> timedelta:
    """Return for how long, not counting before `since`, the readings say that nobody was there.

    It ends with the newest reading, and begins after the last one that saw people or after a gap in
    which the sensor was silent for as long as makes it stale. Zero where it is silent now. Late,
    repeated and reordered readings make no difference.
    """
    newest, began = None, None
    later = now
    for at, sees_people in sorted(set(sightings), reverse=True):
        if at > now:
            continue
        if sees_people or later - at >= SENSOR_STALE_AFTER:
            break
        newest, began, later = newest or at, at, at
    if newest is None or began is None:
        return timedelta(0)
    return max(newest - max(began, since), timedelta(0))
