"""What Goody answers, typed: orders, pages of orders, the account behind the key.

Only the names are collected here: shapes in order.py, page.py and account.py, strict JSON in
strict.py, the forgiving reader that fills the shapes in reading.py, pages that no parser takes as
a whole in cutting.py.
"""

from goody.types.account import Me, Workspace, WorkspaceList
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
from goody.types.page import OrderPage, Quarantined
from goody.types.reading import BadOrder, parse_order
from goody.types.strict import BadJSON

__all__ = [
    "CANCELABLE",
    "ENDED",
    "ORDER_STATUSES",
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
    "Sender",
    "Shipment",
    "Workspace",
    "WorkspaceList",
    "parse_order",
]
