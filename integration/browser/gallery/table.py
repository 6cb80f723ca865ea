"""The table of the gallery: each page with every state that it can have.

The first state of a page is also printed and drawn at 200 %.
"""

from __future__ import annotations

from collections.abc import Mapping

from .dialog_states import CANCEL, EXPIRATION
from .expiring_states import EXPIRING
from .job_states import JOB, JOBS
from .list_states import BOX, FIND, ORDERS, PARTS, VIEWS
from .order_states import ORDER, WRITE
from .other_states import AUDIT, ERRORS, LOGIN, SETTINGS, SETUP, SYSTEM
from .selection_states import SELECTIONS
from .states import States

PAGES: Mapping[str, States] = {
    "Orders": ORDERS,
    "Parts of the list": PARTS,
    "Search box": BOX,
    "Views": VIEWS,
    "Find in a text": FIND,
    "Selections": SELECTIONS,
    "Expiring": EXPIRING,
    "Order": ORDER,
    "Cancel": CANCEL,
    "Expiration": EXPIRATION,
    "Write": WRITE,
    "Job": JOB,
    "Jobs": JOBS,
    "Audit": AUDIT,
    "System": SYSTEM,
    "Setup": SETUP,
    "Login": LOGIN,
    "Settings": SETTINGS,
    "Errors": ERRORS,
}
