"""A peer: the same orders in Django's own admin, as an app beside ours. See admin.py."""
