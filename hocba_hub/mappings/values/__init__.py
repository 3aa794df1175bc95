"""Single values: clean text, its class, numbers, dates, and the named transforms."""
