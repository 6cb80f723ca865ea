"""The objects of Goody's API: orders, pages of orders, activities, the owner of the key.

order.py, page.py, activity.py and account.py define them; parsing.py parses orders leniently,
fast_parsing.py those without any fault; strict_json.py and row_splitting.py read the JSON.
"""

from goody.types.account import Me, Workspace
from goody.types.activity import (
    ACTIVITY_STATUSES,
    QuarantinedActivity,
    RawActivity,
    RawActivityPage,
)
from goody.types.order import (
    CANCELABLE,
    ENDED,
    ORDER_STATUSES,
    Amounts,
    Brand,
    Cart,
    CartItem,
    CartSelection,
    EventTimes,
    Order,
    OriginalAmounts,
    Product,
    Sender,
    Shipment,
)
from goody.types.page import QUARANTINE_BYTES, OrderPage, QuarantinedOrder, RawPage, parse_order_row
from goody.types.parsing import BadOrder, parse_order
from goody.types.strict_json import BadJSON

__all__ = [
    "ACTIVITY_STATUSES",
    "CANCELABLE",
    "ENDED",
    "ORDER_STATUSES",
    "QUARANTINE_BYTES",
    "Amounts",
    "BadJSON",
    "BadOrder",
    "Brand",
    "Cart",
    "CartItem",
    "CartSelection",
    "EventTimes",
    "Me",
    "Order",
    "OrderPage",
    "OriginalAmounts",
    "Product",
    "QuarantinedActivity",
    "QuarantinedOrder",
    "RawActivity",
    "RawActivityPage",
    "RawPage",
    "Sender",
    "Shipment",
    "Workspace",
    "parse_order",
    "parse_order_row",
]
