"""The HTTP around every call: connections and their limits, who calls, idempotency keys, pages, faults.

Nothing in here knows what a report card is.
"""
