"""The views, one module per subject. A view loads data, makes one domain call and renders.

Rights are checked in orders.audit, the eligibility of an order in orders.eligibility.
"""
