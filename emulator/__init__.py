"""A fake Goody server to develop and test against; start it with ``python -m emulator``.

It imports the standard library and werkzeug only, and nothing of this project: what the dashboard
and the emulator know about Goody must come from two separate readings of the vendor's documents.
"""
