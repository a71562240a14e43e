"""The amount of work of a call, independent of the machine: the number of Python calls."""

import sys
from collections.abc import Callable
from types import FrameType


def calls_made_by(function: Callable[[], object]) -> int:
    """Return how many Python functions are called while `function` runs, in this thread."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls
