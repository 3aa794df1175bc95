"""The truth: SQL and nothing else. Tables, migrations, accept, lease, settle, search, audit.

Knows `model`. The story starts in `tables.py`; a card comes in by `accept.py` and leaves by `lease.py` and `settle.py`.
"""
