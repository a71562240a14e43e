"""`python -m … web PORT PATCH…` or `… worker PATCH…`: the real process after some replacements.

Production code has no switch for tests. This process replaces the code that a fault or a missing
guard needs, before the command starts. `NAME=VALUE` passes a value to a patch.
"""

import os
import sys

import django
from django.core.management import call_command


def main(role: str, *arguments: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
    django.setup()
    from realtime.tests.faults.patches import PATCHES  # the apps are loaded only now

    options, names = (
        ({"port": int(arguments[0])}, arguments[1:]) if role == "web" else ({}, arguments)
    )
    for one in names:
        name, _, value = one.partition("=")
        if value:
            PATCHES[name](value)
        else:
            PATCHES[name]()
    call_command("serve" if role == "web" else role, **options)


if __name__ == "__main__":
    main(*sys.argv[1:])
