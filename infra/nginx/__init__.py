"""nginx before several web processes, and the proof that it does what its configuration says."""
