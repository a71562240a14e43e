"""The duration for which sensor readings prove that a room is empty. Pure.

Only readings prove presence or absence. A silent sensor proves neither.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from realtime.state.derive_status import SENSOR_STALE_AFTER

Sighting = tuple[datetime, bool]  # when a sensor reported, and whether it saw people


def empty_for(sightings: Iterable[Sighting], *, since: datetime, now: datetime) -> timedelta:
    """Return for how long after `since` the readings prove that the room was empty.

    The proved interval ends with the newest reading. It begins after the last reading that saw
    people, or after the last silence of SENSOR_STALE_AFTER or more. The result is zero if the
    sensor is stale at `now`. The order and repetition of readings do not matter.
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
