"""Settings of the Goody Admin project, read from environment variables with safe defaults.

Every variable is described in .env.example. Times are seconds, sizes bytes.
"""

from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- Django ----------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="insecure-for-development-only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Copy .env.example to .env and put a long random text there."
    )
# Django signs sessions and forms with it: a short one can be guessed.
if len(SECRET_KEY) < 50 and not DEBUG:
    raise ImproperlyConfigured(
        "SECRET_KEY is shorter than 50 characters. Make a longer one with"
        " python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
# Former keys, whose signatures stay valid while a key is changed.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=not DEBUG)
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
# The number of proxies that append to X-Forwarded-For; the client may have sent earlier entries.
PROXY_COUNT = env.int("PROXY_COUNT", default=1)

ROOT_URLCONF = "goodyadmin.urls"
WSGI_APPLICATION = "goodyadmin.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "orders",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_tasks_db",
]

MIDDLEWARE = [
    "orders.middleware.RequestIdMiddleware",
    "orders.middleware.ClientAddressMiddleware",
    "orders.middleware.ProbeHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # After WhiteNoise: only pages need a policy, which is as long as a small module of the script.
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    # BREACH: Django masks the CSRF token anew in each form and pads the header of each response.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "orders.middleware.SecFetchMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "orders.middleware.VaryOnHtmxMiddleware",
    "orders.middleware.ExpectedFailuresMiddleware",
    "orders.middleware.IdleSessionMiddleware",
    "orders.middleware.HtmxLoginMiddleware",
    "orders.middleware.ViewerMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "orders.context_processors.base_context",
            ],
        },
    },
]

FORM_RENDERER = "goodyadmin.rendering.FormRenderer"

# --- Database --------------------------------------------------------------------------------

(BASE_DIR / "data").mkdir(exist_ok=True)
DATABASES = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR}/data/goodyadmin.sqlite3")
}
_database = DATABASES["default"]
# An operation's intent must outlive a power cut before Goody is called, and the rules of the
# writes rest on conditional UPDATEs: no transaction may stay open around a request.
_database["ATOMIC_REQUESTS"] = False
# Options of DATABASE_URL win over these, such as sslmode=verify-full.
_options = _database.setdefault("OPTIONS", {})
if _database["ENGINE"].endswith("sqlite3"):
    _database.setdefault("CONN_MAX_AGE", None)
    # The statement journal, as large as the data that a statement overwrites, stays in memory.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 3,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;"
            " PRAGMA temp_store=MEMORY;"
        ),
        **_options,
    }
else:
    _database.setdefault("CONN_MAX_AGE", 600)
    _database.setdefault("CONN_HEALTH_CHECKS", True)
    # `migrate` lifts the timeout of a statement (orders.management.commands.migrate).
    _timeouts = "-c lock_timeout=3s -c statement_timeout=5s"
    _database["OPTIONS"] = {
        "connect_timeout": 3,
        **_options,
        "options": f"{_timeouts} {_options.get('options', '')}".strip(),
    }

# --- Tasks -----------------------------------------------------------------------------------

# Redis or Valkey, with requirements-rq.txt; without it the queue is in the database.
TASKS_URL = env.str("TASKS_URL", default="")
_queue = "redis_tasks.RedisTasks" if TASKS_URL else "database_tasks.DatabaseTasks"
TASKS = {"default": {"BACKEND": f"orders.bulk.{_queue}"}}
# No timeout: it would interrupt a write.
RQ_QUEUES = {"default": {"URL": TASKS_URL, "DEFAULT_TIMEOUT": -1}}

# --- People ----------------------------------------------------------------------------------

PASSWORD_HASHERS = [
    "goodyadmin.hashers.SerialPBKDF2PasswordHasher",
    *global_settings.PASSWORD_HASHERS[1:],
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 60 * 60 * 12
# A session ends after this time without an action of its person; polls of open pages do not count.
SESSION_IDLE_TIMEOUT = env.int("SESSION_IDLE_TIMEOUT", default=60 * 60 * 2)
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
CSRF_FAILURE_VIEW = "orders.views.errors.csrf_failure"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

# --- Browser ---------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Pages of other sites have no use for our static files.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "goodyadmin.storage.StaticStorage"
        )
    },
}

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Browsers' preload lists bind a whole domain for months, so preloading must be requested.
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W021"]
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Web server (goodyadmin.server) -----------------------------------------------------------

# A request that is larger is refused before it is read. There are no uploads.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []
MAX_CONNECTIONS = env.int("MAX_CONNECTIONS", default=1000)
# The time limits for receiving a request, and for a client that reads nothing of its response.
READ_TIMEOUT = env.float("READ_TIMEOUT", default=20.0)
STALL_TIMEOUT = env.float("STALL_TIMEOUT", default=60.0)
# The maximum number of requests that wait for a thread, and the maximum waits; the second one is
# for requests that call Goody.
QUEUE_SIZE = env.int("QUEUE_SIZE", default=50)
QUEUE_WAIT = env.float("QUEUE_WAIT", default=1.0)
GOODY_QUEUE_WAIT = env.float("GOODY_QUEUE_WAIT", default=5.0)

# --- Goody -----------------------------------------------------------------------------------

GOODY_API_URL = env.str("GOODY_API_URL", default="").rstrip("/")
GOODY_API_KEY = env.str("GOODY_API_KEY", default="")
GOODY_CA_BUNDLE = env.str("GOODY_CA_BUNDLE", default="") or None
GOODY_ENVIRONMENT = {
    "": "not configured",
    "api.ongoody.com": "production",
    "api.sandbox.ongoody.com": "sandbox",
    "localhost": "emulator",
    "127.0.0.1": "emulator",
    "::1": "emulator",
}.get(urlsplit(GOODY_API_URL).hostname or "", "other")

GOODY_CONNECT_TIMEOUT = env.float("GOODY_CONNECT_TIMEOUT", default=3.0)
GOODY_PAGE_DEADLINE = env.float("GOODY_PAGE_DEADLINE", default=10.0)
GOODY_DETAIL_DEADLINE = env.float("GOODY_DETAIL_DEADLINE", default=2.0)
GOODY_WORKER_DEADLINE = env.float("GOODY_WORKER_DEADLINE", default=15.0)
GOODY_WRITE_DEADLINE = env.float("GOODY_WRITE_DEADLINE", default=30.0)
# Domains and addresses of the people who answer tickets.
OWN_ADDRESSES = env.list("OWN_ADDRESSES", default=[])
# An order's page omits its neighbors and related orders if they take longer.
RELATED_DEADLINE = env.float("RELATED_DEADLINE", default=0.2)
# The deadline of the counts in the filters; with the page they then take a tenth of a second.
COUNTS_DEADLINE = env.float("COUNTS_DEADLINE", default=0.08)
GOODY_CALLS_AT_ONCE = env.int("GOODY_CALLS_AT_ONCE", default=2)
# Concurrent writes of one process, beside its reads, and the wait of a submitted form for a slot.
GOODY_WRITES_AT_ONCE = env.int("GOODY_WRITES_AT_ONCE", default=2)
GOODY_WRITE_SLOT_WAIT = env.float("GOODY_WRITE_SLOT_WAIT", default=5.0)
# Goody documents no rate limit. These are the calls a second of all processes, and the burst.
GOODY_CALLS_PER_SECOND = env.float("GOODY_CALLS_PER_SECOND", default=10.0)
GOODY_CALLS_BURST = env.int("GOODY_CALLS_BURST", default=20)
GOODY_LONGEST_WAIT = env.float("GOODY_LONGEST_WAIT", default=900.0)

# --- Writes ----------------------------------------------------------------------------------

OPERATION_LEASE = env.float("OPERATION_LEASE", default=60.0)
# The maximum age in seconds of the read before a POST, counted from the start of its request.
OPERATION_FRESH_READ = env.float("OPERATION_FRESH_READ", default=5.0)
# Seconds after an unknown outcome at which the order is read again; the last one repeats.
OPERATION_READS = env.list("OPERATION_READS", cast=float, default=[2, 10, 60, 150, 300, 1800])
OPERATION_NOT_APPLIED_READS = env.int("OPERATION_NOT_APPLIED_READS", default=3)
OPERATION_NOT_APPLIED_SPREAD = env.float("OPERATION_NOT_APPLIED_SPREAD", default=120.0)
# The time for which a POST may still take effect; the order takes no other write meanwhile.
OPERATION_EFFECT_WINDOW = env.float("OPERATION_EFFECT_WINDOW", default=OPERATION_NOT_APPLIED_SPREAD)
# The time after the proof of a write at which the order is read once more.
OPERATION_CHECK_AFTER = env.float("OPERATION_CHECK_AFTER", default=300.0)
OPERATION_NEEDS_HUMAN_AFTER = env.float("OPERATION_NEEDS_HUMAN_AFTER", default=86_400.0)
EXTENSION_MAX_DAYS = env.int("EXTENSION_MAX_DAYS", default=365)
# The cancels of one person in an hour, to limit the damage by a stolen session.
CANCELS_PER_HOUR = env.int("CANCELS_PER_HOUR", default=60)
WORKER_TICK = env.float("WORKER_TICK", default=0.5)

# --- Jobs -------------------------------------------------------------------------------------

# The most orders of one job, and the cancels above which another person must approve it.
BULK_MAX_ORDERS = env.int("BULK_MAX_ORDERS", default=5000)
BULK_APPROVAL_ABOVE = env.int("BULK_APPROVAL_ABOVE", default=100)
# Above this number of cancels the person types the number.
BULK_TYPED_ABOVE = env.int("BULK_TYPED_ABOVE", default=20)
# Orders that one person may change by bulk actions in 24 hours, by role.
BULK_CANCELS_PER_DAY = {
    role: int(limit)
    for role, limit in env.dict(
        "BULK_CANCELS_PER_DAY", default={"lead": 1000, "admin": 5000}
    ).items()
}
BULK_EXTENSIONS_PER_DAY = {
    role: int(limit)
    for role, limit in env.dict(
        "BULK_EXTENSIONS_PER_DAY", default={"lead": 10_000, "admin": 50_000}
    ).items()
}
BULK_APPROVAL_EXPIRES = env.float("BULK_APPROVAL_EXPIRES", default=86_400.0)
# The delay before a bulk cancel after its creation or approval; nothing is sent before.
BULK_CANCEL_GRACE = env.float("BULK_CANCEL_GRACE", default=60.0)
# All jobs together; at most a quarter of GOODY_CALLS_PER_SECOND, since an item takes two calls.
BULK_ITEMS_PER_SECOND = env.float("BULK_ITEMS_PER_SECOND", default=2.0)
# The time after which a worker turns to other jobs, or ends if it was stopped.
BULK_SLICE = env.float("BULK_SLICE", default=5.0)
# The time after the last renewal of a job's lease at which another worker continues the job.
BULK_LEASE = env.float("BULK_LEASE", default=60.0)
# The wait after the first attempt of an item that was not sent; it doubles with each further one.
BULK_RETRY_WAIT = env.float("BULK_RETRY_WAIT", default=5.0)

# --- Keeping the index ------------------------------------------------------------------------

# Concurrent calls of the sync in one process, in addition to GOODY_CALLS_AT_ONCE.
SYNC_CALLS_AT_ONCE = env.int("SYNC_CALLS_AT_ONCE", default=2)
SYNC_PER_PAGE = env.int("SYNC_PER_PAGE", default=100)
# The approximate number of orders in one window.
SYNC_WINDOW = env.int("SYNC_WINDOW", default=1000)
SYNC_INTERVAL = env.float("SYNC_INTERVAL", default=60.0)
SYNC_OVERLAP = env.float("SYNC_OVERLAP", default=600.0)
SYNC_REREADS_PER_MINUTE = env.int("SYNC_REREADS_PER_MINUTE", default=30)
# The hour of TIME_ZONE at which the index is compared with Goody's counts.
SYNC_RECONCILE_HOUR = env.int("SYNC_RECONCILE_HOUR", default=3)
# The time after the last renewal of the sync's lease at which another process may sync.
SYNC_LEASE = env.float("SYNC_LEASE", default=30.0)

# --- Housekeeping -----------------------------------------------------------------------------

# A process is not ready if the disk of its SQLite file has fewer free bytes.
MIN_FREE_DISK = env.int("MIN_FREE_DISK", default=100_000_000)
# The number of days for which accesses to orders are recorded.
ORDER_ACCESS_DAYS = env.int("ORDER_ACCESS_DAYS", default=90)

# --- Logs ------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "orders.middleware.RequestIdFilter"}},
    "formatters": {
        "text": {"()": "goodyadmin.logs.LineFormatter"},
        "json": {"()": "goodyadmin.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env.str("LOG_FORMAT", default="text"),
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Django's own handler for "django" would print every line twice.
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        # A request for another host is answered 400 and appears in the access log.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # A line for each slice of a job.
        "django.tasks": {"level": "WARNING"},
        "django_tasks_db": {"level": "WARNING"},
        # The access log has these lines already.
        "waitress": {"level": "WARNING"},
    },
}
