"""Tools for development, tests and the demo. Production code imports none of them."""
