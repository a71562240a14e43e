"""The nginx configuration for several web processes, and its test with the real nginx."""
