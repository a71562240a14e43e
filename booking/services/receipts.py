"""Idempotency: one answer per person and key, however often and however parallel it is sent."""

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from booking.domain.facts import BookingFacts
from booking.models import IdempotencyReceipt
from meeting_rooms.kernel.errors import InvalidCommandError

MAX_KEY_LENGTH = 100


class KeyReusedError(InvalidCommandError):
    """The key was used for another request."""

    default_code = "idempotency_key_reused"


def digest_of_request(request: dict[str, Any]) -> bytes:
    """Return a digest that is equal for equal requests, whatever the order of their members."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).digest()


def claim_key(*, user_id: UUID, key: str, digest: bytes, now: datetime) -> BookingFacts | None:
    """Claim the key in the caller's transaction, or return the answer that was given for it.

    The insert waits for a parallel transaction with the same key to end: if that one commits its
    answer is found here, if it rolls back the key is free again, so a failure leaves no receipt.
    Raises KeyReusedError where the earlier request was a different one.
    """
    if not key.isprintable() or not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise InvalidCommandError(
            f"The Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable characters.",
            code="bad_idempotency_key",
        )
    receipt = IdempotencyReceipt(user_id=user_id, key=key, request_digest=digest, created_at=now)
    IdempotencyReceipt.objects.bulk_create([receipt], ignore_conflicts=True)
    stored = IdempotencyReceipt.objects.get(user_id=user_id, key=key)
    if bytes(stored.request_digest) != digest:
        raise KeyReusedError("This Idempotency-Key was used for another request. Send a new key.")
    return BookingFacts.from_json(stored.result) if stored.result else None


def keep_answer(*, user_id: UUID, key: str, answer: BookingFacts) -> None:
    """Keep the answer with the claimed key, in the same transaction."""
    IdempotencyReceipt.objects.filter(user_id=user_id, key=key).update(result=answer.as_json())
