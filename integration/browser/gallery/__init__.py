"""The gallery: every page in every state, in one table, checked by tests and drawn as pictures.

`table.py` lists the pages; a page is a dictionary of named states. A state says who sees the page,
which state of the sync it needs, and how a browser gets there (`states.py`). `test_gallery.py`
opens each state once and makes every check of `checks.py`. `make gallery` runs the same tests and
also writes pictures and a contact sheet to build/gallery/ (`pictures.py`).

To add a page, write its states beside the others and add them to the table.
"""
