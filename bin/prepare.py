"""Prepare the demo: migrate, collect static files, create users.

One process does all three, since loading Django takes most of the time.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from goodyadmin import script_bundle, storage

_UNCOMPRESSED = "goodyadmin.storage.UncompressedStaticStorage"


def static_fingerprint() -> str:
    """Return a hash of the sources of the static files (name, size, time), the code that collects
    them, and the version of Django.
    """
    seen = hashlib.sha256(django.__version__.encode())
    for module in (storage, script_bundle):
        seen.update(Path(str(module.__file__)).read_bytes())
    for finder in get_finders():
        for name, found_in in finder.list(ignore_patterns=[]):
            stat = Path(found_in.path(name)).stat()
            seen.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def collect_static() -> None:
    """Collect the static files if the fingerprint changed.

    Unlike in production they are not compressed, which would take longest; names and manifest are
    the same.
    """
    stamp = Path(settings.STATIC_ROOT) / ".collected-from"
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    settings.STORAGES["staticfiles"]["BACKEND"] = _UNCOMPRESSED
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(fingerprint)


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    collect_static()
    call_command("create_demo_users", verbosity=0)


if __name__ == "__main__":
    main()
