"""Tools of this checkout: the installation and the check of licences. Production imports none."""
