"""The frozen corpus of the rules: base cards of made-up people, cases that change them, and what must be found.

`NAME.json` is a base card about which nothing is found unless a case says so. A case of `cases.yaml` takes one
(`card`), changes it (`marks`, `levels`, `set`, where null removes; `raw: false` takes the raw marks away), may put the
pupil's other cards beside it (`earlier`, in the same form), and says every finding: severity, code, place, what was
expected. A finding that is folded stands below its root, after `>`. Cases are added, never changed: what was found
about a card once must be found again.
"""
