"""The real settings with one more page, the bare view, to which all figures are compared.

PEERS_DATABASE adds the orders as Django's admin shows them, in a database of their own.
"""

from goodyadmin.settings import *  # noqa: F403
from goodyadmin.settings import DATABASES, INSTALLED_APPS, env

ROOT_URLCONF = "bench.urls"
# A new database gets users. The time of hashing their passwords is not measured.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if env.str("PEERS_DATABASE", default=""):
    INSTALLED_APPS += ["bench.changelist.apps.PeersConfig"]
    DATABASES["peers"] = {**DATABASES["default"], **env.db_url("PEERS_DATABASE")}
    DATABASE_ROUTERS = ["bench.changelist.apps.PeersRouter"]
