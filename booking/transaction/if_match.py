"""Checks that a caller who names an expected version has read the stored version."""

from booking.domain.booking_data import BookingData
from booking.domain.errors import StaleVersionError
from booking.domain.privacy import as_busy, may_read_details
from booking.models import AuditEntry
from booking.series.domain.series_data import SeriesFacts
from booking.transaction.prepared_sql import as_plain_json
from meeting_rooms.kernel.actor import Actor

INTERNAL_MEMBERS = frozenset({"version", "room_id", "takes_slot"})  # left out of a difference


def refuse_stale(booking: BookingData, expected_version: int | None, viewer: Actor) -> None:
    """Raise StaleVersionError unless `expected_version` is None or the stored version.

    The error lists the differences as the viewer may read them.
    """
    if expected_version is None or expected_version == booking.version:
        return
    raise StaleVersionError(
        "This booking changed after you read it. Check the differences, then try again.",
        facts={
            "version": booking.version,
            "changed": _difference(booking, expected_version, viewer),
        },
    )


def _difference(booking: BookingData, version: int, viewer: Actor) -> dict[str, dict[str, object]]:
    """Return `{was, is}` of each member that changed; empty if the old version is not known."""
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
        if name not in INTERNAL_MEMBERS and was[name] != value
    }


def refuse_stale_series(series: SeriesFacts, expected_version: int | None) -> None:
    """Raise StaleVersionError unless `expected_version` is None or the stored version."""
    if expected_version not in (None, series.version):
        raise StaleVersionError(
            "This series changed after you read it. Read the series again, then try again.",
            facts={"version": series.version},
        )
