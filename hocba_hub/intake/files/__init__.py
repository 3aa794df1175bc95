"""Files as clients send them: where they lie while they are imported, what a zip may be, and what goes back.

`spool.py` keeps a file, the records it was split into (`pieces.py`) and the workbook of its findings
(`findings_workbook.py`); `archive.py` opens a zip only if nothing in it can fill memory or disk. Names that a sender
gave are shown, and never used as paths.
"""
