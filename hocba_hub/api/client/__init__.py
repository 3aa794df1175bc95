"""What vendor systems may ask for: submit, check, recall, send files, and look up what became of it.

Routers parse, call `hocba_hub.intake`, and answer; `report_cards.py` is where a card comes in by REST.
"""
