"""Records accesses of people to orders, raw JSON and links.

These records are separate from the audit, and deleted after ORDER_ACCESS_DAYS.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as DatabaseFailure

from orders.models import OrderAccess
from orders.models.durability import non_durable_transaction
from orders.rights import Actor, Right

log = logging.getLogger(__name__)

Kind = OrderAccess.Kind
REQUIRED_RIGHTS: dict[Kind, Right] = {
    Kind.ORDER: Right.READ,
    Kind.RAW: Right.READ_RAW,
    Kind.GIFT_LINK: Right.COPY_GIFT_LINK,
    Kind.PAYMENT_LINK: Right.COPY_PAYMENT_LINK,
}
# A page that is loaded again within so long is one reading.
_ONE_READING = timedelta(minutes=5)


def record_access(*, actor: Actor, kind: Kind, order_id: UUID, now: datetime) -> None:
    """Record that the actor read an order. Raises NotAllowed.

    A database failure is only logged, so that people can continue to read.
    """
    actor.require(REQUIRED_RIGHTS[kind])
    assert actor.user_id is not None
    try:
        same = OrderAccess.objects.filter(
            actor_id=actor.user_id, kind=kind, order_uuid=order_id, at__gt=now - _ONE_READING
        )
        if same.exists():
            return
        with non_durable_transaction():
            OrderAccess.objects.create(
                at=now,
                actor_id=actor.user_id,
                kind=kind,
                order_uuid=order_id,
                request_id=actor.request_id,
            )
    except DatabaseFailure as failure:
        log.warning("an access could not be recorded: %s", type(failure).__name__)
