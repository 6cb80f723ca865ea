"""The dashboard as processes: the web server and `manage.py work`.

For tests of concurrency, kills and browsers. LiveApp.end() stops everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from testing.serving import Process, Visitor, WebProcess, hidden_fields, wait_for
from testing.users import PASSWORD, make_user

__all__ = ["LiveApp", "Process", "Visitor", "WebProcess", "hidden_fields", "wait_for"]


class LiveApp:
    """Web processes and workers with one database and one Goody."""

    def __init__(
        self, *, database_url: str, goody_url: str, goody_key: str, env: Mapping[str, str]
    ) -> None:
        given = {
            "DATABASE_URL": database_url,
            "GOODY_API_URL": goody_url,
            "GOODY_API_KEY": goody_key,
            **env,
        }
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "testing.settings",
            "TEST_ENVIRONMENT": json.dumps(given),
            "PYTHONUNBUFFERED": "1",
        }
        # The file to which processes started from now on write their logs.
        self.logs_to: Path | None = None
        self.webs: list[WebProcess] = []
        self.workers: list[Process] = []

    @property
    def url(self) -> str:
        return self.webs[0].url

    def start_web(self, count: int = 1) -> WebProcess:
        """Start gunicorns side by side, wait until they answer, return the first of them."""
        started = [WebProcess(env=self.env, logs_to=self.logs_to) for _ in range(count)]
        self.webs += started
        for web in started:
            web.wait_until_ready()
        return started[0]

    def start_worker(self) -> Process:
        worker = Process(["manage.py", "work"], env=self.env, logs_to=self.logs_to)
        self.workers.append(worker)
        return worker

    def log_in(self, role: str, *, web: WebProcess | None = None, username: str = "") -> Visitor:
        """Return a visitor who logged in with that role through the login page."""
        user = make_user(role, username)
        visitor = Visitor((web or self.webs[0]).url)
        answer = visitor.post("/login/", {"username": user.username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return visitor

    def end(self) -> None:
        for process in (*self.workers, *self.webs):
            process.close()
