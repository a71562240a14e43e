"""Short calendar files. `TEN` is 10:00 to 11:00 in Helsinki on Monday 2 March 2026."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from booking.exchange.ical.events import ParsedCalendar
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.ical.recurring_events import occurrences

HELSINKI = ZoneInfo("Europe/Helsinki")
UNTIL = datetime(2028, 1, 1, tzinfo=UTC)
TEN = "DTSTART;TZID=Europe/Helsinki:20260302T100000\nDTEND;TZID=Europe/Helsinki:20260302T110000\n"


def event(lines: str, uid: str = "u", room: str = "R") -> str:
    return f"BEGIN:VEVENT\nUID:{uid}\nLOCATION:{room}\n{lines}END:VEVENT\n"


def calendar(*parts: str, zone: ZoneInfo | None = None) -> ParsedCalendar:
    text = "BEGIN:VCALENDAR\nVERSION:2.0\n" + "".join(parts) + "END:VCALENDAR\n"
    return parse_calendar(text.encode(), zone_of=lambda _room: zone)


def starts(parsed: ParsedCalendar) -> list[str]:
    (each,) = (*parsed.events, *parsed.series)
    return [f"{at.interval.start:%m-%dT%H:%M}" for at in occurrences(each, UNTIL)]


def codes(parsed: ParsedCalendar) -> list[str]:
    return [refusal.code for refusal in parsed.refused]
