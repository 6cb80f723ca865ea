"""Forms: what a person typed, checked and made into aware datetimes and numbers.

Whether something may be done at all is not a form's business (see orders.eligibility).
"""
