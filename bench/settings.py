"""The real settings, with one more page: the bare view that everything is compared with.

PEERS_DATABASE adds the orders as Django's admin shows them, in a database of their own.
"""

from goodyadmin.settings import *  # noqa: F403
from goodyadmin.settings import DATABASES, INSTALLED_APPS, env

ROOT_URLCONF = "bench.urls"
# A database is made with people in it, and nobody measures how long they take to sign in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if env.str("PEERS_DATABASE", default=""):
    INSTALLED_APPS += ["bench.changelist.apps.Peers"]
    DATABASES["peers"] = {**DATABASES["default"], **env.db_url("PEERS_DATABASE")}
    DATABASE_ROUTERS = ["bench.changelist.apps.Router"]
