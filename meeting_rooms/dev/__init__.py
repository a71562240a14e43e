"""Tools for development: installation, embedded servers, demo, checks. Production imports none."""
