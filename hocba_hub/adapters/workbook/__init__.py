"""Reading what people keep in spreadsheets: .xlsx workbooks and CSV files as sheets of rows, streamed.

Whoever has a file comes in by `file_records`. `workbook.py` opens a workbook: `package.py` guards its zip, `parts.py`
reads its styles and texts, `cells.py` gives the rows of one sheet, of which `merges.py` marks the merged cells;
`delimited.py` does the same for CSV. What cannot be read is a `SourceError` with its finding. `review.py` writes and
reads the table of a mapping's rules.
"""
