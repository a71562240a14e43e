"""Every 503 of the API has Retry-After."""

import pytest
from django.db import InterfaceError, OperationalError
from django.test import RequestFactory

from meeting_rooms.api import on_refusal, on_store_down
from meeting_rooms.kernel.errors import ConflictError, UnavailableError

REQUEST = RequestFactory().get("/api/v1/bookings")


@pytest.mark.parametrize(("answer", "error"), [
    (on_refusal, UnavailableError("Too many people are booking this room right now. Try again.")),
    (on_store_down, OperationalError("too many requests wait for a connection already")),
    (on_store_down, InterfaceError("the connection is closed")),
])  # fmt: skip
def test_unavailable__of_any_kind__has_retry_after(answer, error):
    answered = answer(REQUEST, error)
    assert (answered.status_code, answered["Retry-After"]) == (503, "2")


def test_refusal__final__has_no_retry_after():
    assert "Retry-After" not in on_refusal(REQUEST, ConflictError("Taken.")).headers
