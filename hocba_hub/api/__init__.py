"""Who may ask: clients, operators and SOAP callers; routers that parse, call the rooms below, and answer.

Uses everything below it. The story starts in `app.py`; a card's way begins in `client/report_cards.py`.
"""
