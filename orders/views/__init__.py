"""The views, one module per subject. A view loads data, makes one domain call and renders.

Rights are decided in orders.audit and what may be done to an order in orders.eligibility.
"""
