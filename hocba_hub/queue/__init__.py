"""When to talk: doorbell (RQ), worker, drain, retry, what codes mean, breaker, scheduler.

Uses intake for imports, the store, and adapters through their Protocol. The story starts in `drain.py`.
"""
