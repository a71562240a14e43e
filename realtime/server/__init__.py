"""The web server: Daphne with a direct way to its sockets, a self-test of it, an orderly end."""
