"""Whether the caller decided from the booking as it is now."""

from booking.domain.facts import BookingFacts, Row
from booking.domain.refusals import StaleVersionError
from booking.domain.series import SeriesFacts
from booking.models import AuditEntry
from booking.services.statements import as_plain_json

NOT_TOLD = frozenset({"version", "room_id", "takes_slot"})  # inner members of a row


def refuse_stale(booking: BookingFacts, expected_version: int | None) -> None:
    """Raise StaleVersionError, with the difference, where another version was expected."""
    if expected_version is None or expected_version == booking.version:
        return
    raise StaleVersionError(
        "Somebody changed this booking since you read it. Look at the difference, then decide.",
        facts={"version": booking.version, "changed": _difference(booking, expected_version)},
    )


def _difference(booking: BookingFacts, version: int) -> dict[str, dict[str, object]]:
    then = AuditEntry.objects.filter(booking_id=booking.id, after__version=version).last()
    was: Row = then.after if then is not None and then.after else {}
    row: Row = as_plain_json(booking.as_row())
    return {
        name: {"was": was[name], "is": value}
        for name, value in row.items()
        if name in was and name not in NOT_TOLD and was[name] != value
    }


def refuse_stale_series(series: SeriesFacts, expected_version: int | None) -> None:
    """Raise StaleVersionError where another version of the series was expected."""
    if expected_version not in (None, series.version):
        raise StaleVersionError(
            "Somebody changed this series since you read it. Read it again, then decide.",
            facts={"version": series.version},
        )
