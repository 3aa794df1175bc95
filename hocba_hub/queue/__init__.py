"""When to talk: doorbell (RQ), drain, retry, error classes, breaker, scheduler, replay.

Uses store, mappings, and adapters through their Protocol. The story starts in `drain.py`.
"""
