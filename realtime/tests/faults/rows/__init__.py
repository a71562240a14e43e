"""The rows of the fault matrix, by what is broken. Importing this enters all of them."""

from realtime.tests.faults.rows import crashes

__all__ = ["crashes"]
