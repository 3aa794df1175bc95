"""Reports for the department: facts are gathered and frozen (`making.py`), documents made of them at any time.

`content.py` says what stands in a report, `docx.py` and `xlsx.py` write it, `charts.py` draws. The documents are in
Vietnamese: they go to the province.
"""
