"""The web console for operators: pages over the very functions that answer the operators' API.

Nothing is decided here: a page asks what `api/operator` and the rooms below answer, and shows it in HTML.
"""
