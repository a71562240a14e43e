"""Tunes the garbage collector of web processes, so that full collections are rare."""

import gc

# New objects before a collection of the youngest generation. A full collection stops the process
# for 0.4 s while 5,000 sockets are open. With Python's threshold of 700 there were eight full
# collections while 5,000 sockets connected, and one now and then afterwards.
GC_THRESHOLD = 10_000


def collect_seldom() -> None:
    """Freeze the objects that exist now and set GC_THRESHOLD. Call after all modules are loaded.

    Frozen objects stay for the life of the process, so no collection visits them.
    """
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
