"""Races of real threads on real connections, and what happens without each guard.

`make races ROUNDS=200` runs each race so often; the ordinary test run does a few rounds.
"""

import os

ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))
