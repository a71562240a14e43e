"""Tunes the garbage collector of web processes, so that full collections are rare."""

import gc

# Objects that are newly kept before young garbage is looked for. A search of everything stops the
# process for 0.4 s where 5,000 sockets are open; with Python's 700 there were eight while they came
# and one now and then afterwards.
GC_THRESHOLD = 10_000


def collect_seldom() -> None:
    """Set it for this process. Call it once all is loaded.

    What is loaded by now stays, so no search needs to look at it again.
    """
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
