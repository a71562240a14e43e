"""A web process with an unexpected Twisted or autobahn.

`python -m … PORT twisted|autobahn`
"""

import os
import sys

import django
from django.core.management import call_command

from realtime.server import direct


class ForeignTransport:
    """Hides an attribute that the direct transport reads."""

    def __init__(self, transport: object) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> object:
        if name == "dataBuffer":
            raise AttributeError("dataBuffer has moved")
        return getattr(self._transport, name)


class OtherTwisted(direct.DirectTransport):
    """The direct transport on a Twisted whose write queue has another name."""

    __slots__ = ()

    def __init__(self, transport, on_overflow):
        super().__init__(ForeignTransport(transport), on_overflow)


class OtherAutobahn(direct.DirectTransport):
    """A direct transport whose bytes do not match, as if autobahn sent its own frames."""

    __slots__ = ()

    def write_raw(self, data):
        self._transport.write(data)


OTHERS = {"twisted": OtherTwisted, "autobahn": OtherAutobahn}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
    django.setup()
    direct.DirectTransport = OTHERS[sys.argv[2]]  # before `serve` imports this name
    call_command("serve", port=int(sys.argv[1]))
