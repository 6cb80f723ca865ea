"""Shipments of an order. Goody API: Shipment."""

from emulator import sample_texts
from emulator.clock import format_datetime
from emulator.digest_random import DigestRandom, derive_uuid, digest_of_parts
from emulator.messages import Json
from emulator.order_columns import DAY, DIRECT, HOUR
from emulator.stored_order import StoredOrder

_UNDELIVERED = (
    "shipped",
    "pending",
    "tracking",
    "failed",
    "failed_unset_tracking",
    "failed_with_reship",
)
_ANY = (*_UNDELIVERED, "delivered", "delivered")
_FAILED = ("failed", "failed_unset_tracking", "failed_with_reship")


def render_shipments(
    facts: StoredOrder, cart: Json, draws: DigestRandom, *, now: int
) -> list[Json]:
    """Return a shipment for each brand of the cart; none until shipping starts."""
    if facts.status not in ("shipped", "delivered"):
        return []
    brands = dict.fromkeys(item["product"]["brand"]["name"] for item in cart["items"])
    statuses = _draw_statuses(facts, len(brands), draws, now=now)
    pairs = zip(brands, statuses, strict=True)
    return [_shipment(facts, n, brand, status, draws) for n, (brand, status) in enumerate(pairs)]


def _draw_statuses(facts: StoredOrder, count: int, draws: DigestRandom, *, now: int) -> list[str]:
    """Return statuses of which one is shipped or later; the others are any possible ones."""
    if facts.status == "delivered":
        return [
            "delivered_override" if draws.randbelow(12) == 0 else "delivered" for _ in range(count)
        ]
    possible = _UNDELIVERED if facts.times["shipped"] + 2 * DAY > now else _ANY
    statuses = [possible[draws.randbelow(len(possible))] for _ in range(count - 1)]
    first = "shipped" if draws.randbelow(10) else _FAILED[draws.randbelow(3)]
    statuses.insert(draws.randbelow(count), first)
    return statuses


def _shipment(facts: StoredOrder, n: int, brand: str, status: str, draws: DigestRandom) -> Json:
    shipped = facts.times.get("shipped") if status not in ("pending", "tracking") else None
    delivered = _delivered_at(facts, draws) if status.startswith("delivered") else None
    eta = shipped - shipped % DAY + 4 * DAY + 17 * HOUR if shipped else None
    shipment: Json = {
        "id": derive_uuid("shipment", facts.index, n),
        "status": status,
        "brand_name": brand,
        "tracking_carrier": sample_texts.CARRIERS[draws.randbelow(len(sample_texts.CARRIERS))],
        "shipped_at": format_datetime(shipped) if shipped else None,
        "delivered_at": format_datetime(delivered) if delivered else None,
        "delivery_eta": format_datetime(eta) if eta else None,
    }
    if facts.flags & DIRECT:  # Goody shows tracking to approved partners only.
        number = "1Z" + digest_of_parts("parcel", facts.index, n).hex()[:16].upper()
        shipment["tracking_number"] = number
        shipment["tracking_url"] = f"https://tracking.example.com/parcel/{number}"
    return shipment


def _delivered_at(facts: StoredOrder, draws: DigestRandom) -> int:
    """Return the time of the order's delivery.

    If only a part of the order was delivered, it is a time within two days of shipping.
    """
    if facts.status == "delivered":
        return facts.times["delivered"]
    return facts.times["shipped"] + DAY + draws.randbelow(12 * HOUR)
