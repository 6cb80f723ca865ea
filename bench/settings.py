"""The real settings, with one more page: the bare view that everything is compared with."""

from goodyadmin.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
