"""Errors of embedded servers. Each message says what happened and what to do."""

from pathlib import Path

from meeting_rooms.dev.servers.names import ENVIRONMENT, TITLES, ServiceName

LOG_TAIL_LINES = 15  # lines of a log in an error message


class EmbeddedServerError(Exception):
    """An embedded server cannot be started, found or stopped."""


def own_server_advice(name: ServiceName) -> str:
    """Return the advice to use a server that this package does not run."""
    return f"Or set {ENVIRONMENT[name]} to a {TITLES[name]} server of your own."


def start_failed(name: ServiceName, reason: str, log: Path) -> EmbeddedServerError:
    """Return the error for a server that did not become ready, with the end of its log."""
    lines = [f"{TITLES[name]} did not start: {reason}", own_server_advice(name)]
    tail = read_log(log).splitlines()[-LOG_TAIL_LINES:]
    if tail:
        lines += [f"The last lines of {log}:", *(f"    {line}" for line in tail)]
    return EmbeddedServerError("\n".join(lines))


def read_log(log: Path) -> str:
    """Return the log of the server since its last start; "" if there is none."""
    if not log.exists():
        return ""
    return log.read_text(encoding="utf-8", errors="replace")
