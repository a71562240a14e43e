"""Idempotency keys: a request that is sent several times runs once and gets one answer."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from booking.domain.booking_data import BookingData, Row
from booking.domain.error_codes import BookingErrorCode
from booking.models import IdempotencyReceipt
from booking.transaction.context import CommandContext
from booking.transaction.prepared_sql import as_plain_json
from meeting_rooms.kernel.errors import InvalidCommandError

MAX_KEY_LENGTH = 100  # characters, as in the database column

T = TypeVar("T")
Bookings = tuple[BookingData, ...]


class KeyReusedError(InvalidCommandError):
    """The key was used for another request."""

    default_code = BookingErrorCode.IDEMPOTENCY_KEY_REUSED


@dataclass(frozen=True, slots=True)
class ResultCodec(Generic[T]):
    """A pair of functions that write an answer as JSON and read it back."""

    write: Callable[[T], Any]
    read: Callable[[Any], T]


def _read_bookings(rows: Sequence[Row]) -> Bookings:
    return tuple(BookingData.from_row(row) for row in rows)


BOOKINGS: ResultCodec[Bookings] = ResultCodec(
    write=lambda bookings: [booking.as_row() for booking in bookings], read=_read_bookings
)


def digest_of_request(request: dict[str, Any]) -> bytes:
    """Return the SHA-256 of the request, which does not depend on the order of its members."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).digest()


def idempotent(
    command: Callable[[CommandContext], T],
    *,
    user_id: UUID,
    key: str | None,
    request: Any,
    form: ResultCodec[T],
) -> Callable[[CommandContext], T]:
    """Return the command as one that runs once per person and key and then repeats its answer.

    The receipt is stored in the transaction of the command, so a refused request has no receipt. If
    two equal requests run in parallel, the second cannot store its receipt; it reads again and
    finds the receipt of the first. `request` is the dataclass of the request. Without a key, the
    command is returned unchanged.
    Raises InvalidCommandError `bad_idempotency_key`. The returned command raises KeyReusedError if
    the key was used for another request.
    """
    if key is None:
        return command
    if not key.isprintable() or not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise InvalidCommandError(
            f"The Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable characters.",
            code=BookingErrorCode.BAD_IDEMPOTENCY_KEY,
        )
    digest = digest_of_request(asdict(request))

    def run(tx: CommandContext) -> T:
        given = IdempotencyReceipt.objects.filter(user_id=user_id, key=key).first()
        if given is not None:
            _refuse_other_request(given, digest)
            return form.read(given.result)
        answer = command(tx)
        receipt = IdempotencyReceipt(
            user_id=user_id,
            key=key,
            request_digest=digest,
            result=as_plain_json(form.write(answer)),
            created_at=tx.now,
        )
        tx.also.append(receipt.save)
        return answer

    return run


def _refuse_other_request(given: IdempotencyReceipt, digest: bytes) -> None:
    if bytes(given.request_digest) != digest:
        raise KeyReusedError("This Idempotency-Key was used for another request. Send a new key.")
