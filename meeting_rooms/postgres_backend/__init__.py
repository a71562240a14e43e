"""Django's PostgreSQL backend with connections that recover. Django loads the module `base`."""
