"""What Goody answers, typed: orders, pages of orders, the feed, the account behind the key.

Only the names are collected here: shapes in order.py, page.py, activity.py and account.py, strict
JSON in strict.py, the forgiving reader that fills the shapes in reading.py, pages that no parser
takes as a whole in cutting.py.
"""

from goody.types.account import Me, Workspace, WorkspaceList
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
from goody.types.page import QUARANTINE_BYTES, OrderPage, Quarantined, RawPage, parse_row
from goody.types.reading import BadOrder, parse_order
from goody.types.strict import BadJSON

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
    "Quarantined",
    "QuarantinedActivity",
    "RawActivity",
    "RawActivityPage",
    "RawPage",
    "Sender",
    "Shipment",
    "Workspace",
    "WorkspaceList",
    "parse_order",
    "parse_row",
]
