"""What several test suites share. Nothing of it runs in production."""
