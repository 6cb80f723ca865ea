"""Helpers that several test suites share. Production code imports none of them."""
