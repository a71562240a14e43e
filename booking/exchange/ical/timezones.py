"""Find the IANA zone of a TZID: by IANA name, by Windows name, or by its VTIMEZONE. Pure.

The library never gets a VTIMEZONE: it would store the zone for the process, and expand any rule in
the definition. A VTIMEZONE is only compared with the IANA zones.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from booking.domain.error_codes import BookingErrorCode
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.rule_dates import matching_dates
from meeting_rooms.kernel.errors import InvalidCommandError

MAX_OWN_ZONES = 20  # VTIMEZONEs compared in one file; bounds the time of an import
MAX_ZONE_LINES = 500  # of one VTIMEZONE
YEARS_COMPARED = 4  # from the year of the event on
# Compared first: if several zones have the same offsets, the best known one is found.
WELL_KNOWN = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Helsinki", "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles", "Asia/Tokyo", "Asia/Kolkata",
    "Asia/Shanghai", "Australia/Sydney",
)  # fmt: skip
YEARLY = re.compile(
    r"(FREQ=YEARLY|INTERVAL=1|WKST=\w\w|(BYMONTH|BYDAY|BYMONTHDAY|UNTIL)=[\w,+-]+)$"
)
OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?$")


class UnknownZoneError(InvalidCommandError):
    """A time has a TZID that matches no IANA zone."""

    default_code = BookingErrorCode.UNKNOWN_ZONE


class Zones:
    """The zones of one file. `definitions` has the unfolded lines of each VTIMEZONE by TZID."""

    def __init__(self, definitions: Mapping[str, Sequence[str]]) -> None:
        self._definitions = definitions
        self._found: dict[tuple[str, int], ZoneInfo] = {}

    def find(self, tzid: str, near: datetime) -> ZoneInfo:
        """Return the zone of `tzid` in the year of `near`. Raises UnknownZoneError."""
        named = zone_by_name(tzid)
        if named is not None:
            return named
        key = (tzid, near.year)
        if key not in self._found:
            if tzid not in self._definitions or len(self._found) >= MAX_OWN_ZONES:
                raise UnknownZoneError(_sentence(tzid))
            self._found[key] = _zone_like(tzid, self._definitions[tzid], near.year)
        return self._found[key]


def zone_by_name(tzid: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, a Windows name, or a path that ends in an IANA name."""
    parts = tzid.strip("/").split("/")
    candidates = [
        WINDOWS_TO_OLSON.get(tzid, ""),
        *("/".join(parts[-n:]) for n in (len(parts), 3, 2)),
    ]
    return next((ZoneInfo(name) for name in candidates if name in _names()), None)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def _candidates() -> tuple[str, ...]:
    """Return all zone names: the well-known ones, then those of Windows, then all others."""
    return (*dict.fromkeys([*WELL_KNOWN, *sorted(WINDOWS_TO_OLSON.values()), *sorted(_names())]),)


def _zone_like(tzid: str, lines: Sequence[str], year: int) -> ZoneInfo:
    location = next((line[15:] for line in lines if line.startswith("X-LIC-LOCATION:")), "")
    if (named := zone_by_name(location)) is not None:
        return named
    try:
        own = _OwnZone(lines, year)
    except (ValueError, OverflowError, LookupError, InvalidCommandError) as exc:
        raise UnknownZoneError(_sentence(tzid)) from exc
    samples = list(_samples(year))
    for name in _candidates():
        zone = ZoneInfo(name) if name in _names() else None
        if zone and all(at.astimezone(zone).utcoffset() == own.offset(at) for at in samples):
            return zone
    raise UnknownZoneError(_sentence(tzid))


def _samples(year: int) -> Iterator[datetime]:
    """Yield two instants a day. Coarse steps come first: they rule out most zones at once."""
    first = datetime(year, 1, 1, tzinfo=UTC)
    halves = range(YEARS_COMPARED * 365 * 2)
    yield from (first + timedelta(hours=12 * n) for step in (180, 1) for n in halves[::step])


class _OwnZone:
    """The offsets of a VTIMEZONE from `year` on. Raises ValueError if it cannot be read."""

    def __init__(self, lines: Sequence[str], year: int) -> None:
        if len(lines) > MAX_ZONE_LINES:
            raise ValueError("too long")
        changes = sorted(change for part in _parts(lines) for change in _changes(part, year))
        self._at = [at for at, _, _ in changes]
        self._offsets = [changes[0][1], *(after for _, _, after in changes)]

    def offset(self, at: datetime) -> timedelta:
        return self._offsets[bisect_right(self._at, at)]


def _parts(lines: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the properties of each STANDARD and DAYLIGHT component."""
    part: dict[str, str] = {}
    for line in lines:
        if line in ("BEGIN:STANDARD", "BEGIN:DAYLIGHT"):
            part = {}
        elif line in ("END:STANDARD", "END:DAYLIGHT"):
            yield part
        else:
            name, _, value = line.partition(":")
            part[name.partition(";")[0]] = value


def _changes(part: dict[str, str], year: int) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Yield instant, offset before and offset after of each change that matters from `year` on."""
    onset = datetime.strptime(part["DTSTART"].rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local
    before, after = _offset(part["TZOFFSETFROM"]), _offset(part["TZOFFSETTO"])
    onsets = [onset]
    if "RRULE" in part:
        onsets = list(_yearly(part["RRULE"], onset, before, year))
    for extra in filter(None, part.get("RDATE", "").split(",")):
        onsets.append(datetime.strptime(extra.rstrip("Z"), "%Y%m%dT%H%M%S"))  # noqa: DTZ007
    yield from (((at - before).replace(tzinfo=UTC), before, after) for at in onsets)


def _yearly(rule: str, onset: datetime, before: timedelta, year: int) -> Iterator[datetime]:
    """Yield the local times of the rule in the years compared and the year before.

    Raises ValueError unless the rule is yearly by month, weekday and day of the month: the dates of
    such a rule do not depend on its first year, so the expansion need not begin in 1601.
    """
    if not all(YEARLY.match(part) for part in rule.split(";")):
        raise ValueError(rule)
    begin = onset.replace(year=max(onset.year, year - 1))
    end = datetime(year + YEARS_COMPARED, 12, 31)  # noqa: DTZ001 - local, as the rule is
    until = re.search(r"UNTIL=(\d{8}T\d{6})", rule)
    if until:  # in UTC
        end = min(end, datetime.strptime(until[1], "%Y%m%dT%H%M%S") + before)  # noqa: DTZ007
    bare = ";".join(part for part in rule.split(";") if not part.startswith("UNTIL"))
    read = parse_rule(bare, start=begin, zone=ZoneInfo("UTC"), horizon=end.date())
    for day in matching_dates(read, begin.date(), last=end.date()):
        if (at := datetime.combine(day, begin.time())) <= end:
            yield at


def _offset(text: str) -> timedelta:
    match = OFFSET.match(text)
    if match is None:
        raise ValueError(text)
    hours, minutes, seconds = (int(digits or 0) for digits in match.groups()[1:])
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -size if match[1] == "-" else size


def _sentence(tzid: str) -> str:
    return (
        f"The time zone '{tzid[:60]}' of the event is not known. "
        "Use an IANA name, such as Europe/Helsinki, or times in UTC."
    )
