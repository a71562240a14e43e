"""The form of a token. Pure."""

import hashlib
import secrets

TOKEN_MARK = "mr_"  # noqa: S105 - lets secret scanners recognise a leaked token
DEVICE_MARK = "mrd_"  # of a device's token, which is nobody's
TOKEN_ENTROPY_BYTES = 32  # 256 bits: a plain hash suffices, there is nothing to guess
TOKEN_PREFIX_LENGTH = 10


def new_token(mark: str = TOKEN_MARK) -> str:
    """Return a fresh random token, safe in a header."""
    return mark + secrets.token_urlsafe(TOKEN_ENTROPY_BYTES)


def is_of_device(token: str) -> bool:
    """Say whether a token claims to be a device's."""
    return token.startswith(DEVICE_MARK)


def digest_of(token: str) -> bytes:
    """Return what is stored of a token. Look-up by digest leaks no timing of the token itself."""
    return hashlib.sha256(token.encode()).digest()
