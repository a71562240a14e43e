"""Django's PostgreSQL backend with connections that recover; `base` is what Django loads."""
