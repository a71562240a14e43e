"""Races of real threads on real connections, with all guards and without them.

`make races ROUNDS=200` runs each race 200 times; the ordinary test run does a few rounds.
"""

import os

ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))
