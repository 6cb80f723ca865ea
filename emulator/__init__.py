"""A fake Goody server for development and tests. Start it with ``python -m emulator``.

It imports only the standard library and werkzeug, and nothing of this project: the dashboard and
the emulator must come from two independent readings of Goody's documentation.
"""
