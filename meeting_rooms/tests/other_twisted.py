"""A web process whose Twisted keeps its write queue elsewhere: `python -m … PORT`."""

import os
import sys

import django
from django.core.management import call_command

from realtime.server import direct


class ForeignTransport:
    """Hides an attribute that the direct way reads."""

    def __init__(self, transport: object) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> object:
        if name == "dataBuffer":
            raise AttributeError("dataBuffer has moved")
        return getattr(self._transport, name)


class ForeignWire(direct.DirectWire):
    """The direct way, on such a transport."""

    __slots__ = ()

    def __init__(self, protocol, on_overflow):
        super().__init__(protocol, on_overflow)
        self._transport = ForeignTransport(self._transport)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
    django.setup()
    direct.DirectWire = ForeignWire  # before `serve` imports it
    call_command("serve", port=int(sys.argv[1]))
