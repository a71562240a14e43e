"""Durations for operators: at most two units, rounded down."""

from datetime import timedelta


def age(length: timedelta) -> str:
    """Return `8 s`, `3 min`, `2 h 5 min` or `1 d 3 h`; `0 s` for a negative duration."""
    seconds = max(int(length.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return _joined((days, "d"), (hours % 24, "h"))
    if hours:
        return _joined((hours, "h"), (minutes % 60, "min"))
    return f"{minutes} min" if minutes else f"{seconds} s"


def _joined(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
