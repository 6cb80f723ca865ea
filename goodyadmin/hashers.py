"""A password hasher that limits the load on the CPU."""

from __future__ import annotations

import threading
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

_ONE_AT_A_TIME = threading.Lock()


class SerialPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's default, with at most one hash at a time in a process: one takes 0.7 s."""

    def encode(self, *args: Any, **kwargs: Any) -> str:
        with _ONE_AT_A_TIME:
            return super().encode(*args, **kwargs)
