"""A peer: the same orders in Django's own admin, as a separate app. See admin.py."""
