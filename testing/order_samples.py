"""An order with a distinct value in every field of Goody's schema."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec

from goody.types import EventTimes

TIMES = {
    field.name: f"2026-03-{number:02d}T10:00:{number:02d}Z"
    for number, field in enumerate(msgspec.structs.fields(EventTimes), 1)
}


def cart(prefix: str) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "items": [
            {
                "id": str(uuid4()),
                "quantity": 3,
                "product": {
                    "id": str(uuid4()),
                    "name": f"{prefix} tea <b>box</b>",
                    "brand": {"id": str(uuid4()), "name": f"{prefix} Leaf & Lane"},
                },
            }
        ],
    }


def full_order() -> dict[str, Any]:
    """Return a distinct value for every field of the schema."""
    content = cart("New")
    return {
        "status": "shipped",
        "reference_id": "TESTREFERENCE00000000001",
        "recipient_first_name": "Priya",
        "recipient_last_name": "O'Neill",
        "recipient_email": "priya@example.test",
        "individual_gift_link": "https://gifts.example.test/gift/TESTTOKEN01",
        "cart": content,
        "cart_selections": [
            {
                "id": str(uuid4()),
                "cart_item_id": content["items"][0]["id"],
                "quantity_index": 1,
                "variants": ["Oolong", "Large"],
            }
        ],
        "shipments": [
            {
                "id": str(uuid4()),
                "status": "failed_with_reship",
                "brand_name": "Parcel Brand",
                "tracking_carrier": "UPS",
                "tracking_number": "1Z999",
                "tracking_url": "https://track.example.test/1Z999",
                "shipped_at": "2026-04-01T10:00:00Z",
                "delivered_at": "2026-04-02T10:00:00Z",
                "delivery_eta": "2026-04-03T10:00:00Z",
            }
        ],
        "amounts": {
            "amount_product": 101,
            "amount_shipping": 202,
            "amount_processing_fee": 303,
            "amount_credit_applied": 404,
            "amount_pre_tax_total": 505,
            "amount_tax": 606,
            "amount_total": 707,
            "amount_global_relay_cost": 808,
        },
        "original_cart": cart("Old"),
        "original_amounts": {
            "original_amount_product": 1101,
            "original_amount_shipping": 1202,
            "original_amount_credit_applied": 1303,
            "original_amount_pre_tax_total": 1404,
        },
        "is_swapped": True,
        "sender": {"first_name": "Lee", "last_name": "Okafor", "email": "lee@example.test"},
        "workspace_id": str(uuid4()),
        "workspace_name": "People team",
        "order_batch_id": str(uuid4()),
        "expires_at": "2026-05-01T06:59:59Z",
        "card_id": str(uuid4()),
        "message": "Welcome <aboard>",
        "thank_you_note": "Thanks & bye",
        "view_count_recipient": 17,
        "payment_link": "https://checkout.example.test/SECRET",
        "event_times": TIMES,
    }


FULL = full_order()
