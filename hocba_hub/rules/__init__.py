"""What makes a report card right: pure checks over the canonical model, chosen by level, circular and school year.

Knows `model` only. The story starts in `catalogue.py`.
"""
