"""Problem details (RFC 9457): every answer that is not a good one, as a closed list with texts in both languages.

`problem.py` turns errors of the rooms below into problems; `problem_pages.py` shows each kind at its own address.
"""
