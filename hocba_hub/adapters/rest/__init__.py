"""The adapter `rest`: a platform that takes JSON. The story starts in `adapter.py`."""
