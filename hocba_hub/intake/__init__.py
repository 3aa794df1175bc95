"""From bytes to a commit, whatever the entrance: split, translate, check, accept.

REST, SOAP, files and rechecks all come through `submission.py`. Knows no web framework; above it are `queue` and
`api`, below it the store and the pure rooms.
"""
