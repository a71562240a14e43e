"""`python -m meeting_rooms.dev.error_pages [--write]` makes docs/errors.md from the error codes.

Without `--write` the command only compares, and exits with 1 if the page is out of date. The codes
of an app are the members of its `ErrorCode` enumeration.
"""

import argparse
import sys
from pathlib import Path

from booking.domain.error_codes import BookingErrorCode
from identity.domain.error_codes import IdentityErrorCode
from meeting_rooms.kernel.error_codes import ErrorCode, KernelErrorCode
from realtime.state.error_codes import LiveErrorCode
from rooms.domain.error_codes import RoomsErrorCode

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
APPS: dict[str, type[ErrorCode]] = {
    "Every app": KernelErrorCode,
    "People, devices and sign-in": IdentityErrorCode,
    "Places and policies": RoomsErrorCode,
    "Bookings, series, imports and exports": BookingErrorCode,
    "The live socket": LiveErrorCode,
}
HEAD = """# Error codes

Every refusal has a code that programs can rely on: the meaning of a code never changes. The code is
the member `code` of an `application/problem+json` answer, of an `error` frame on the socket, and of
each entry in the report of an import. The HTTP statuses and the further members are in
[api.md](api.md).

This page is generated from the code: `python -m meeting_rooms.dev.error_pages --write`.
"""


def page() -> str:
    """Return the page as Markdown: one table per app, in the order of the enumerations."""
    tables = [
        f"\n## {title}\n\n| code | meaning |\n| --- | --- |\n"
        + "".join(f"| `{code.value}` | {code.meaning} |\n" for code in codes)
        for title, codes in APPS.items()
    ]
    return HEAD + "".join(tables)


def main(arguments: list[str] | None = None) -> int:
    """Write or compare the page. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Generate docs/errors.md from the error codes.")
    parser.add_argument("--write", action="store_true", help="Write the page.")
    if parser.parse_args(arguments).write:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write("docs/errors.md is out of date. Run this command with --write.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
