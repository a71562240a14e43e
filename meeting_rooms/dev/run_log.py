"""The log file of the processes of `manage.py run`."""

from pathlib import Path

from meeting_rooms.dev.servers.errors import LOG_TAIL_LINES, read_log
from meeting_rooms.dev.servers.folders import log_file


class RunLog:
    """The log of one run; the log of the run before is kept beside it."""

    def __init__(self, data_dir: Path) -> None:
        """Begin an empty file. The folder must exist; `servers.start` makes the folder."""
        self.path = log_file(data_dir, "run")
        if self.path.exists():
            self.path.replace(self.path.with_suffix(".log.previous"))
        self.path.touch(mode=0o600)

    def explain(self, sentence: str) -> str:
        """Return the sentence followed by the path and the last lines of the log."""
        lines = read_log(self.path).splitlines()[-LOG_TAIL_LINES:]
        if not lines:
            return f"{sentence} {self.path} is empty."
        tail = "\n".join(f"    {line}" for line in lines)
        return f"{sentence} The last lines of {self.path}:\n{tail}"
