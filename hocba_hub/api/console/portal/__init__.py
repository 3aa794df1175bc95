"""The page of a client: what became of what it sent, and a test of what it would send. Never another client's."""
