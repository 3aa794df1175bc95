"""Cutting a document into records, byte-exact and as it arrives: a file for each syntax.

Every splitter has `feed(piece)` and `held`; none knows where the pieces come from.
"""
