"""Reading what people keep in spreadsheets: .xlsx workbooks and CSV files as sheets of rows, streamed.

`workbook.py` opens a workbook (`package.py` guards its zip, `parts.py` reads its styles and texts) and `cells.py` gives
the rows of one sheet; `delimited.py` does the same for CSV. What cannot be read is a `SourceError` with its finding.
Whoever has a file comes in by `file_records`. `review.py` writes and reads the table of a mapping's rules.
"""
