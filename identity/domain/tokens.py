"""The format and the digest of tokens. Pure."""

import hashlib
import secrets

TOKEN_MARK = "mr_"  # noqa: S105 - lets secret scanners recognise a leaked token
DEVICE_MARK = "mrd_"  # the beginning of a device's token
TOKEN_ENTROPY_BYTES = 32  # 256 bits cannot be guessed, so a fast hash is enough
TOKEN_PREFIX_LENGTH = 10  # characters that are stored and shown to recognise a token


def new_token(mark: str = TOKEN_MARK) -> str:
    """Return a new random token of characters that are safe in a header."""
    return mark + secrets.token_urlsafe(TOKEN_ENTROPY_BYTES)


def is_of_device(token: str) -> bool:
    """Return whether a token has the form of a device's token."""
    return token.startswith(DEVICE_MARK)


def digest_of(token: str) -> bytes:
    """Return the SHA-256 that is stored for a token. A look-up by digest has no timing leak."""
    return hashlib.sha256(token.encode()).digest()
