"""`python -m bench.new_job COUNT`: create COUNT orders at Goody and a job that cancels them.

It runs in a process with the environment of the measured one. EMULATOR_URL is the emulator.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from uuid import UUID, uuid4

import django
import msgspec
import requests

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from goody.types import parse_order  # noqa: E402
from orders import bulk  # noqa: E402
from orders.audit import Action  # noqa: E402
from orders.eligibility import order_snapshot  # noqa: E402
from orders.rights import Actor  # noqa: E402

_AT_ONCE = 500


def main() -> None:
    count = int(sys.argv[1])
    created = [order for start in range(0, count, _AT_ONCE) for order in _create(count - start)]
    job = bulk.create_job(
        actor=Actor.for_user(User.objects.get(username="admin")),
        action=Action.ORDER_CANCEL,
        items=[bulk.NewItem(UUID(one["id"]), _facts(one)) for one in created],
        params=bulk.JobParams(reason="duplicate"),
        description="",
        form_key=uuid4(),
        now=timezone.now(),
    )
    print(json.dumps(job.number))


def _create(left: int) -> list[dict[str, Any]]:
    body = {"count": min(left, _AT_ONCE), "fields": {"status": "notified"}}
    answer = requests.post(f"{os.environ['GOODY_API_URL']}/_emulator/orders", json=body, timeout=60)
    answer.raise_for_status()
    created: list[dict[str, Any]] = answer.json()["orders"]
    return created


def _facts(order: dict[str, Any]) -> dict[str, Any]:
    return order_snapshot(parse_order(msgspec.json.encode(order)))


if __name__ == "__main__":
    main()
