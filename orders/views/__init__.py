"""The pages, one module a theme. A view loads, makes one domain call and renders.

What may be seen or done is decided in orders.audit and orders.eligibility, never here.
"""
