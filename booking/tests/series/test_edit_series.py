"""Changing a series: the order of checks. The changes themselves are in `cases/test_series`."""

from datetime import datetime, time, timedelta

import pytest

from booking.series.book_series import BookSeries, book_series
from booking.series.edit_series import SeriesEdit, edit_series
from booking.tests.factories import NOW
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError, PermissionDeniedError
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db


def test_edit__series_that_is_over__is_a_permission_error_for_another_person():
    ann = actor("Ann")
    start = datetime(2026, 3, 16, 10)
    wanted = BookSeries(room().uuid, start, 60, "FREQ=DAILY;COUNT=2", "Stand-up")
    series_id = book_series(actor=ann, wanted=wanted, clock=FixedClock(NOW)).series_id
    later, edit = FixedClock(NOW + timedelta(days=30)), SeriesEdit(starts=time(11))
    with pytest.raises(PermissionDeniedError):
        edit_series(actor=actor("Bob"), series_id=series_id, edit=edit, clock=later)
    with pytest.raises(ConflictError) as refused:
        edit_series(actor=ann, series_id=series_id, edit=edit, clock=later)
    assert refused.value.code == "nothing_to_come"
