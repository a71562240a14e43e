"""The secret key of a checkout: generated once and stored in the data folder."""

import os
import secrets
from pathlib import Path

FILE_NAME = "secret_key"


def ensure_secret_key(data_dir: Path) -> None:
    """Generate the key if there is none. Only the owner of the file can read the key."""
    data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    try:
        handle = os.open(data_dir / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))


def read_secret_key(data_dir: Path) -> str | None:
    """Return the key of the checkout; None if there is none."""
    path = data_dir / FILE_NAME
    return path.read_text().strip() if path.is_file() else None
