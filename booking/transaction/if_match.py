"""Whether the caller decided from the booking as it is now."""

from booking.domain.booking_data import BookingData
from booking.domain.errors import StaleVersionError
from booking.domain.privacy import as_busy, may_read_details
from booking.models import AuditEntry
from booking.series.domain.series_data import SeriesFacts
from booking.transaction.prepared_sql import as_plain_json
from meeting_rooms.kernel.actor import Actor

NOT_TOLD = frozenset({"version", "room_id", "takes_slot"})  # inner members of a row


def refuse_stale(booking: BookingData, expected_version: int | None, viewer: Actor) -> None:
    """Raise StaleVersionError, with the difference as the viewer may read it."""
    if expected_version is None or expected_version == booking.version:
        return
    raise StaleVersionError(
        "Somebody changed this booking since you read it. Look at the difference, then decide.",
        facts={
            "version": booking.version,
            "changed": _difference(booking, expected_version, viewer),
        },
    )


def _difference(booking: BookingData, version: int, viewer: Actor) -> dict[str, dict[str, object]]:
    then = AuditEntry.objects.filter(booking_id=booking.id, after__version=version).last()
    if then is None or then.after is None:
        return {}
    pair = BookingData.from_row(then.after), booking
    if not all(may_read_details(state, viewer) for state in pair):
        pair = as_busy(pair[0]), as_busy(pair[1])
    was, row = (as_plain_json(state.as_row()) for state in pair)
    return {
        name: {"was": was[name], "is": value}
        for name, value in row.items()
        if name not in NOT_TOLD and was[name] != value
    }


def refuse_stale_series(series: SeriesFacts, expected_version: int | None) -> None:
    """Raise StaleVersionError where another version of the series was expected."""
    if expected_version not in (None, series.version):
        raise StaleVersionError(
            "Somebody changed this series since you read it. Read it again, then decide.",
            facts={"version": series.version},
        )
