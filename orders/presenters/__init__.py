"""What templates place: plain objects whose dates, money, URLs and words are made once here.

No rules and no queries: presenters get domain objects and give text.
"""
