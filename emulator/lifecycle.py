"""Draws the status changes of one order at random.

The statuses and their sequence are documented; durations and frequencies are invented.
"""

from collections.abc import Callable

from emulator.order_columns import (
    ACCEPTED,
    COMMERCE,
    DAY,
    DELIVERED,
    DIRECT,
    FAILED,
    HOUR,
    MINUTE,
    NOTIFIED,
    OPENED,
    ORDERED,
    PAID,
    PENDING_PAYMENT,
    SHIPPED,
)

# A random number at least 0 and below 1.
RandomFloat = Callable[[], float]
StatusChanges = list[tuple[int, int]]


def random_status_changes(
    draw: RandomFloat, *, created: int, expires: int, flags: int
) -> StatusChanges:
    """Return the (status code, time) of every step after creation, also those in the future."""
    kind = draw()
    if kind > 0.992:
        return []
    steps = [(NOTIFIED, created + 2 + int(draw() * 20))]
    if flags & DIRECT:
        return steps + _draw_fulfillment(draw, accepted=created + 30, flags=flags)
    if kind < 0.04:
        steps.append((FAILED, created + HOUR + int(draw() ** 2 * 15 * DAY)))
    elif kind < 0.87:
        opened = created + MINUTE + int(draw() ** 4 * 20 * DAY)
        steps.append((OPENED, opened))
        steps += _draw_after_opening(draw, opened=opened, expires=expires, flags=flags)
    return steps


def _draw_after_opening(
    draw: RandomFloat, *, opened: int, expires: int, flags: int
) -> StatusChanges:
    kind = draw()
    if kind < 0.02:
        return [(FAILED, opened + HOUR + int(draw() * 3 * DAY))]
    accepted = opened + 30 + int(draw() ** 3 * 4 * DAY)
    if kind > 0.9 or (expires and accepted >= expires):
        return []
    return _draw_fulfillment(draw, accepted=accepted, flags=flags)


def _draw_fulfillment(draw: RandomFloat, *, accepted: int, flags: int) -> StatusChanges:
    """Return the acceptance and the steps after it. Few orders stop before the delivery."""
    pending = accepted + 1 + int(draw() * 4)
    steps = [(ACCEPTED, accepted), (PENDING_PAYMENT, pending)]
    stopped = draw()
    if stopped > 0.995:
        return steps[:1]
    if stopped < (0.08 if flags & COMMERCE else 0.002):
        return steps
    paid = pending + 2 + int(draw() ** 3 * (2 * DAY if flags & COMMERCE else HOUR))
    ordered = paid + 10 * MINUTE + int(draw() * DAY)
    shipped = ordered + 6 * HOUR + int(draw() * 4 * DAY)
    steps += [(PAID, paid), (ORDERED, ordered)]
    if stopped < 0.98:
        steps.append((SHIPPED, shipped))
    if stopped < 0.94:
        steps.append((DELIVERED, shipped + DAY + int(draw() * 6 * DAY)))
    return steps
