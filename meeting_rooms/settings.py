"""Django settings, read from the environment. `.env.example` documents every variable.

Defaults are safe for production; `manage.py run` relaxes some of them for a demo on one machine.
"""

from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF

from meeting_rooms.build import build_id
from meeting_rooms.local_stores import recorded_urls
from meeting_rooms.logs import logging_config
from meeting_rooms.postgres import BoundedConnection
from meeting_rooms.redis_url import channel_layers
from meeting_rooms.secret_key import read_secret_key

django_stubs_ext.monkeypatch()  # admin and manager classes are generic, as in the stubs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / ".data"))).absolute()
DEBUG = env.bool("DEBUG", False)
DEMO = env.bool("DEMO", False)
HTTPS = env.bool("HTTPS", True)

DEFAULT_SECRET_KEY = "insecure-default-set-SECRET_KEY"  # noqa: S105 - refused by a system check
SECRET_KEY = env.str("SECRET_KEY", "") or read_secret_key(DATA_DIR) or DEFAULT_SECRET_KEY
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# -- stores: for each store, an address in the environment wins over an embedded server -----------
_local = recorded_urls(DATA_DIR)
DATABASE_URL = env.str("DATABASE_URL", _local.get("postgres", ""))
MONGODB_URL = env.str("MONGODB_URL", _local.get("mongodb", ""))
REDIS_URL = env.str("REDIS_URL", _local.get("redis", ""))
MONGODB_DATABASE = env.str("MONGODB_DATABASE", "meeting_rooms")
REDIS_PREFIX = env.str("REDIS_PREFIX", "meeting_rooms")

STATEMENT_TIMEOUT_MS = env.int("STATEMENT_TIMEOUT_MS", 10_000)
# The limit of one wait for a row lock, just below STATEMENT_TIMEOUT_MS. Waits are normally short:
# the queue for a lock is limited by the number of connections, some milliseconds each.
LOCK_TIMEOUT_MS = 9_000
POSTGRES_POOL_SIZE = env.int("POSTGRES_POOL_SIZE", 20)
# Requests that may wait while every connection is in use; the next request is refused at once. A
# request takes 15 to 40 ms of CPU, so a full queue is 6 to 16 s of work, and three times as much on
# a slow machine. POSTGRES_PATIENCE_S is the limit of one wait, for anything longer.
POSTGRES_MAX_WAITING = 20 * POSTGRES_POOL_SIZE
POSTGRES_PATIENCE_S = 60.0
STORE_TIMEOUT_S = 2.0  # for one answer of a store, such as a health probe
# Postgres counts as unavailable after this time without a new connection for any request. Shorter
# than STORE_TIMEOUT_S, so that a refusal arrives in time. A busy pool does not count.
POOL_TIMEOUT_S = 1.5

DATABASES = {
    "default": {
        **environ.Env.db_url_config(DATABASE_URL or "postgres://127.0.0.1:5432/meeting_rooms"),
        "ENGINE": "meeting_rooms.postgres_backend",
        "CONN_MAX_AGE": 0,  # the pool below keeps connections, so threads must not keep them
        "OPTIONS": {
            "connect_timeout": 3,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} "
            f"-c lock_timeout={LOCK_TIMEOUT_MS} -c idle_in_transaction_session_timeout=30000",
            "pool": {
                "min_size": 1,
                "max_size": POSTGRES_POOL_SIZE,
                "timeout": POOL_TIMEOUT_S,
                "max_waiting": POSTGRES_MAX_WAITING,
                "patience": POSTGRES_PATIENCE_S,
                # The pauses between attempts grow: after a long outage the next attempt would come
                # minutes late. After this time-out, the next request starts a new attempt.
                "reconnect_timeout": STORE_TIMEOUT_S,
                "connection_class": BoundedConnection,
            },
        },
    }
}

CHANNEL_LAYERS = channel_layers(REDIS_URL or "redis://127.0.0.1:6379/0", REDIS_PREFIX)

# -- applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "meeting_rooms",
    "frontend",
    "realtime",
    "booking",
    "rooms",
    "identity",
    "channels",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "meeting_rooms.logs.RequestIdMiddleware",
    "frontend.board_cache.BoardCacheMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "frontend.refusals.RefusalMiddleware",
]
ROOT_URLCONF = "meeting_rooms.urls"
ASGI_APPLICATION = "meeting_rooms.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "frontend.context.product",
            ]
        },
    }
]

# -- live connections -------------------------------------------------------------------------
BUILD = env.str("BUILD", "") or build_id(BASE_DIR)
DIRECT_SEND = env.bool("DIRECT_SEND", True)
UVLOOP = env.bool("UVLOOP", True)
MAX_CONNECTIONS = env.int("MAX_CONNECTIONS", 10_000)  # sockets per process
# Anonymous sockets per client address: a tenth, so that one client cannot use every connection.
MAX_CONNECTIONS_PER_ADDRESS = env.int("MAX_CONNECTIONS_PER_ADDRESS", 1_000)
# Connections that are kept free for callers that have signed in.
RESERVED_CONNECTIONS = env.int("RESERVED_CONNECTIONS", MAX_CONNECTIONS // 5)
MAX_CONNECTIONS_PER_PERSON = env.int("MAX_CONNECTIONS_PER_PERSON", 1_000)  # per user or token
SOCKET_MAX_AGE_S = env.float("SOCKET_MAX_AGE_S", 12 * 3600.0)  # closed at 50 to 100 % of this age
SOCKET_STUCK_S = env.float("SOCKET_STUCK_S", 20.0)  # a client that reads nothing is disconnected
DRAIN_NOTICE_S = env.float("DRAIN_NOTICE_S", 1.0)  # /readyz says 503, requests are still served
DRAIN_SPREAD_S = env.float("DRAIN_SPREAD_S", 5.0)  # the closing of all sockets is spread over this

# -- people -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["identity.backends.PasswordBackend"]
SIGN_IN_COUNTERS = "meeting_rooms.attempt_counters.RedisCounters"
PASSWORD_HASHERS = ["identity.hashing.BoundedArgon2", "identity.hashing.BoundedPBKDF2"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# -- time and language ------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English")]
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["meeting_rooms.formats"]

# -- static files -----------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}

# -- security ---------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes; the largest request body accepted
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200  # fields of one form; the largest form has far fewer
NINJA_PAGINATION_MAX_LIMIT = 500  # rooms in one answer
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
# Health probes and Prometheus connect from the internal network, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
# Set only if a proxy overwrites X-Forwarded-Proto; otherwise the client controls this header.
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Each proxy appends its peer to X-Forwarded-For, so the client's address is this many entries from
# the end.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 1) if BEHIND_PROXY else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

# -- metrics and logs -------------------------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", 0)
WORKER_METRICS_ADDRESS = env.str("WORKER_METRICS_ADDRESS", "127.0.0.1")
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(level=env.str("LOG_LEVEL", "INFO"), as_json=env.bool("LOG_JSON", True))
