"""Code tables: versioned, dated translations of code values, as data with their sources.

`lookup.py` says what an answer is (found, unknown, ambiguous, out of validity; never a guess); `files.py` reads the
tables that lie here as YAML and CSV. A table's columns are its code systems.
"""
