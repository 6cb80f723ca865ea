"""Display objects for templates. Dates, money, URLs and texts are formatted once, here.

Presenters convert domain objects, which the views pass, to texts. They contain no rules.
"""
