"""What makes a report card right: pure checks over the canonical model, chosen by level, circular, grade and year.

Knows `model` only. A card is checked in `checking.py`; every rule there is stands in `catalogue.py`.
"""
