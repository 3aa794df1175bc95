"""Who may ask: intake, status, operations, problems, authentication.

Uses everything below it. The story starts in `app.py`; a card's way begins in `intake.py`.
"""
