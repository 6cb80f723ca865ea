"""Display objects for templates: dates, money, URLs and words are formatted once, here.

Presenters take domain objects and make texts. They decide no rule, and query the database only on
the system page.
"""
