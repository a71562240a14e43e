"""The worker process: projector, ticker, no-show release, occupancy readings."""
