"""The worker process: projector, ticker, release of no-shows, occupancy readings."""
