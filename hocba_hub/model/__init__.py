"""What a report card is, and what can be said about it: pure types, no I/O, imports nothing of ours.

Everybody may enter. The story starts in `card.py` (the canonical report card); `delivery.py` holds the states of
a delivery and the one table of transitions; `findings.py` what a check says.
"""
