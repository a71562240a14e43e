"""The web server: Daphne with direct send, the self-test of direct send, and the shutdown."""
