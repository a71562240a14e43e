"""The record of the stores that run on this machine for one data folder.

`meeting_rooms.dev.servers` starts the stores and writes the record. Settings read it here, so that
production imports no code that starts servers. Standard library only.
"""

import json
from pathlib import Path
from typing import Any

RECORD_FILE = "services.json"
RECORD_FORMAT = 1  # rises when the members of the record change


class StoreRecordError(Exception):
    """The record cannot be read. The message says why and what to do."""


def recorded_urls(data_dir: Path) -> dict[str, str]:
    """Return the URL of each store that is recorded as ready, by its name: `postgres`, `mongodb`.

    Reads one small file and asks no server. Returns an empty mapping if there is no record.
    Raises StoreRecordError if the record cannot be read.
    """
    servers = read_record(data_dir)
    try:
        return {name: str(fields["url"]) for name, fields in servers.items() if fields["is_ready"]}
    except (KeyError, TypeError) as exc:
        raise damaged(data_dir, exc) from exc


def read_record(data_dir: Path) -> dict[str, dict[str, Any]]:
    """Return the members of each recorded server by its name; empty if there is no record.

    Raises StoreRecordError if the record cannot be read.
    """
    path = data_dir / RECORD_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != RECORD_FORMAT:
            raise StoreRecordError(
                f"{path} was written by another version of Meeting Rooms. "
                f"Stop its servers with that version, then delete the file."
            )
        return dict(document["servers"])
    except FileNotFoundError:
        return {}
    except PermissionError as exc:
        raise StoreRecordError(
            f"{path} belongs to another user. Use a data folder of your own."
        ) from exc
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise damaged(data_dir, exc) from exc


def damaged(data_dir: Path, cause: Exception) -> StoreRecordError:
    """Return the error for a record whose members are not the members that this version writes."""
    return StoreRecordError(
        f"{data_dir / RECORD_FILE} is damaged ({cause}). Delete it and start again: the data is "
        "kept."
    )
