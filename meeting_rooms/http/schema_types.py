"""Schema types of REST requests: strict bodies, instants with an offset, versions in ETags.

An unknown member of a body and an unknown query parameter are refused, not ignored: otherwise a
misspelt name would be treated as an absent one.
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, WithJsonSchema

from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

FIRST_YEAR, LAST_YEAR = 1970, 2100  # outside, the time zone database only guesses
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_WALL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_ENTITY_TAG = re.compile(r'"(\d{1,9})"', re.ASCII)


class Body(BaseModel):
    """The body of a request. Unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """The body of a response, built from the attributes of an object."""

    model_config = ConfigDict(from_attributes=True)


def require_known_parameters(given: Collection[str], known: Collection[str]) -> None:
    """Refuse a query with a parameter that the operation does not declare.

    Raises InvalidCommandError `invalid`; its facts name the `unknown` and the `known` parameters.
    """
    unknown = sorted(set(given) - set(known))
    if not unknown:
        return
    allowed = f"Known parameters: {', '.join(sorted(known))}." if known else "Send none."
    detail = f"There is no such query parameter. {allowed}"
    raise InvalidCommandError(
        "; ".join(f"query.{name}: {detail}" for name in unknown),
        facts={
            "errors": [{"at": f"query.{name}", "detail": detail} for name in unknown],
            "unknown": unknown,
            "known": sorted(known),
        },
    )


def read_instant(value: Any) -> datetime:
    """Return the UTC instant of an RFC 3339 date-time with an offset, between 1970 and 2100.

    Raises ValueError if the value is not a date-time; InvalidCommandError `time_without_zone`,
    `invalid_time`.
    """
    if isinstance(value, datetime):
        value = value.isoformat()
    read = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if read is None:
        raise ValueError("Give a date and time with an offset, as in 2026-03-02T09:00:00+02:00.")
    if not read["offset"]:
        raise InvalidCommandError(
            f"The time {value} has no time zone. Add an offset, for example "
            "2026-03-01T09:00:00+01:00.",
            code=KernelErrorCode.TIME_WITHOUT_ZONE,
        )
    try:
        instant = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise _outside() from exc
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise _outside()
    return instant


def _outside() -> InvalidCommandError:
    return InvalidCommandError(
        f"The time does not exist, or is outside the years {FIRST_YEAR} to {LAST_YEAR}.",
        code=KernelErrorCode.INVALID_TIME,
        facts={"first_year": FIRST_YEAR, "last_year": LAST_YEAR},
    )


Instant = Annotated[
    datetime,
    BeforeValidator(read_instant),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": f"With an offset; between {FIRST_YEAR} and {LAST_YEAR}.",
            "examples": ["2026-03-02T09:00:00+02:00"],
        }
    ),
]
Count = Annotated[StrictInt, Field(ge=1, le=100_000)]


def entity_tag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """Return the version that If-Match names; None if the header is absent or `*`.

    Raises InvalidCommandError `bad_if_match` if the header is not an ETag of this API.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    read = _ENTITY_TAG.fullmatch(if_match.strip())
    if read is None:
        raise InvalidCommandError(
            "The If-Match header is not an ETag. Send the ETag of the answer that you read, such "
            'as "3".',
            code=KernelErrorCode.BAD_IF_MATCH,
        )
    return int(read[1])


def read_wall_time(value: Any) -> datetime:
    """Return the local time of a text without an offset, between 1970 and 2100.

    Raises ValueError if the value is not a local time; InvalidCommandError `invalid_time`.
    """
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
        raise ValueError("Give a local time of the room without an offset, as in 2026-03-02T09:00.")
    try:
        shown = datetime.fromisoformat(value)
    except ValueError as exc:
        raise _outside() from exc
    if not FIRST_YEAR <= shown.year <= LAST_YEAR:
        raise _outside()
    return shown


WallTime = Annotated[
    datetime,
    BeforeValidator(read_wall_time),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_WALL_TIME.pattern}$",
            "description": "On the clock of the room's wall: a date and time without an offset.",
            "examples": ["2026-03-02T09:00"],
        }
    ),
]
