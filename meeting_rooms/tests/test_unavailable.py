"""Every 503 of the API says when to try again."""

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
def test_unavailable__of_any_kind__says_when_to_try_again(answer, error):
    answered = answer(REQUEST, error)
    assert (answered.status_code, answered["Retry-After"]) == (503, "2")


def test_refusal__that_another_try_would_not_change__does_not():
    assert "Retry-After" not in on_refusal(REQUEST, ConflictError("Taken.")).headers
