"""Display objects for templates. Dates, money, URLs and texts are formatted once, here.

Presenters convert domain objects to texts. They contain no rules, and query the database only for
the system page.
"""
