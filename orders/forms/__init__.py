"""Forms: validate typed input and convert it into aware datetimes and numbers.

Whether an action is allowed is decided in orders.eligibility, not in forms.
"""
