"""Compression of an order's JSON with a preset dictionary."""

from __future__ import annotations

import json
import zlib

# The compression dictionary: the common parts of the JSON of orders. A changed dictionary needs
# another version byte, since rows compressed with this one must remain readable.
_COMMON = json.dumps(
    {
        "view_count_recipient": 1,
        "payment_link": None,
        "thank_you_note": None,
        "card_id": None,
        "original_amounts": {"original_amount_product": 3200, "original_amount_shipping": 600},
        "original_cart": {"id": "", "items": [{"id": "", "quantity": 1, "product": {"id": ""}}]},
        "shipments": [
            {
                "id": "",
                "status": "delivered",
                "brand_name": "",
                "tracking_carrier": "UPS",
                "shipped_at": "2026-06-03T12:25:15Z",
                "delivered_at": "2026-06-03T12:25:15Z",
                "delivery_eta": "2026-06-03T12:25:15Z",
            }
        ],
        "individual_gift_link": "https://gifts.ongoody.com/gift/",
        "recipient_first_name": "",
        "recipient_last_name": None,
        "recipient_email": "@example.com",
        "message": "Thank you for everything",
        "sender": {"first_name": "", "last_name": "", "email": "@example.com"},
        "workspace_id": "",
        "workspace_name": "",
        "order_batch_id": "",
        "expires_at": "2026-06-03T06:59:59Z",
        "is_swapped": False,
        "cart_selections": [],
        "cart": {
            "id": "",
            "items": [
                {
                    "id": "",
                    "quantity": 1,
                    "product": {"id": "", "name": "", "brand": {"id": "", "name": ""}},
                }
            ],
        },
        "amounts": {
            "amount_product": 3200,
            "amount_shipping": 600,
            "amount_processing_fee": 150,
            "amount_credit_applied": None,
            "amount_pre_tax_total": 3950,
            "amount_tax": None,
            "amount_total": None,
            "amount_global_relay_cost": None,
        },
        "event_times": None,
        "reference_id": "",
        "status": "created",
        "id": "",
    },
    separators=(",", ":"),
).encode()
_PACKING = b"\x01"


def compress_json(raw: bytes) -> bytes:
    squeeze = zlib.compressobj(level=1, wbits=-15, memLevel=9, zdict=_COMMON)
    return _PACKING + squeeze.compress(raw) + squeeze.flush()


def decompress_json(packed: bytes) -> bytes:
    """Return the unpacked JSON. Raises ValueError for an unknown version byte."""
    if packed[:1] != _PACKING:
        raise ValueError("unknown version of the compression")
    return zlib.decompressobj(wbits=-15, zdict=_COMMON).decompress(packed[1:])
