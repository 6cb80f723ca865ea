"""Test settings: the real settings with a fixed environment and faster defaults.

The developer's environment and .env are ignored. TEST_ENVIRONMENT (JSON, see processes.py) has
the differences from DEFAULTS in a process that a test starts.
"""

import json
import os
from pathlib import Path

import axe_playwright_python  # type: ignore[import-untyped]

# The worker syncs only if a test sets SYNC_INTERVAL.
DEFAULTS = {
    "DEBUG": "false",
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "CSRF_TRUSTED_ORIGINS": "",
    "HTTPS": "false",
    "BEHIND_PROXY": "false",
    "PROXY_COUNT": "1",
    "SECRET_KEY_FALLBACKS": "",
    "HSTS_PRELOAD": "false",
    "MIN_FREE_DISK": "0",
    "ORDER_ACCESS_DAYS": "90",
    "SESSION_IDLE_TIMEOUT": "7200",
    "LOG_FORMAT": "text",
    "TIME_ZONE": "UTC",
    "LOG_LEVEL": "INFO",
    # testing/databases.py chooses the database of each test.
    "DATABASE_URL": "sqlite:////nonexistent/goodyadmin-tests.sqlite3",
    "TASKS_URL": "",
    "MAX_CONNECTIONS": "1000",
    "READ_TIMEOUT": "20",
    "STALL_TIMEOUT": "60",
    # A busy machine must not refuse the requests of a test.
    "QUEUE_SIZE": "1000",
    "QUEUE_WAIT": "60",
    "GOODY_QUEUE_WAIT": "60",
    "OWN_ADDRESSES": "",
    "GOODY_API_URL": "",
    "GOODY_API_KEY": "",
    "GOODY_CA_BUNDLE": "",
    "GOODY_CONNECT_TIMEOUT": "6",
    "GOODY_PAGE_DEADLINE": "6",
    "GOODY_DETAIL_DEADLINE": "4",
    "GOODY_WORKER_DEADLINE": "6",
    "GOODY_WRITE_DEADLINE": "6",
    "RELATED_DEADLINE": "5",
    "COUNTS_DEADLINE": "5",
    "GOODY_CALLS_AT_ONCE": "2",
    "GOODY_WRITES_AT_ONCE": "2",
    "GOODY_WRITE_SLOT_WAIT": "5",
    "GOODY_CALLS_PER_SECOND": "1000",
    "GOODY_CALLS_BURST": "1000",
    "GOODY_LONGEST_WAIT": "900",
    "OPERATION_LEASE": "60",
    "OPERATION_FRESH_READ": "5",
    "OPERATION_READS": "2,10,60,150,300,1800",
    "OPERATION_NOT_APPLIED_READS": "3",
    "OPERATION_NOT_APPLIED_SPREAD": "120",
    "OPERATION_EFFECT_WINDOW": "120",
    "OPERATION_CHECK_AFTER": "300",
    "OPERATION_NEEDS_HUMAN_AFTER": "86400",
    "EXTENSION_MAX_DAYS": "365",
    "CANCELS_PER_HOUR": "1000",
    "WORKER_TICK": "0.05",
    "BULK_MAX_ORDERS": "5000",
    "BULK_APPROVAL_ABOVE": "100",
    "BULK_TYPED_ABOVE": "20",
    "BULK_CANCELS_PER_DAY": "lead=1000,admin=5000",
    "BULK_EXTENSIONS_PER_DAY": "lead=10000,admin=50000",
    "BULK_APPROVAL_EXPIRES": "86400",
    "BULK_CANCEL_GRACE": "60",
    "BULK_ITEMS_PER_SECOND": "1000",
    "BULK_SLICE": "5",
    "BULK_LEASE": "60",
    "BULK_RETRY_WAIT": "5",
    "SYNC_CALLS_AT_ONCE": "2",
    "SYNC_PER_PAGE": "100",
    "SYNC_WINDOW": "1000",
    "SYNC_INTERVAL": "0",
    "SYNC_OVERLAP": "600",
    "SYNC_REREADS_PER_MINUTE": "30",
    "SYNC_RECONCILE_HOUR": "3",
    "SYNC_LEASE": "30",
}
os.environ.update({**DEFAULTS, **json.loads(os.environ.get("TEST_ENVIRONMENT", "{}"))})

from goodyadmin.settings import *  # noqa: E402, F403
from goodyadmin.settings import STATICFILES_DIRS  # noqa: E402
from testing.bundled_script import bundled_script_folder  # noqa: E402

# PBKDF2 takes most of a second for every login.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# WhiteNoise serves the source files without collectstatic, except the script, which is joined. The
# tests of accessibility load axe from the dashboard.
_AXE = Path(axe_playwright_python.__path__[0])
STATICFILES_DIRS = [bundled_script_folder(), *STATICFILES_DIRS, _AXE]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
# A process looks through them once. Django's test client is a new server each time, and would
# spend most of its time there: in this process they are looked up on request.
WHITENOISE_AUTOREFRESH = "TEST_ENVIRONMENT" not in os.environ
# Each test has its own database, and must not read the cache of another test.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
