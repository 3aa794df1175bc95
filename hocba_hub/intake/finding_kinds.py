"""What can be said of a file itself, of a zip's entries (facts: part, the entry's name), and of examples."""

from __future__ import annotations

from hocba_hub.model.findings import finding_kinds

KINDS = finding_kinds("hocba_hub.intake")
"""Every kind of this room, by its code."""

ARCHIVE_DAMAGED = KINDS["file.archive-damaged"]
ARCHIVE_TOO_LARGE = KINDS["file.archive-too-large"]
ENTRY_DAMAGED = KINDS["file.entry-damaged"]
ENTRY_ENCRYPTED = KINDS["file.entry-encrypted"]
ENTRY_NESTED = KINDS["file.entry-nested"]
ENTRY_UNKNOWN = KINDS["file.entry-unknown"]
FILE_FULL = KINDS["file.full"]

# A mapping's own examples. Facts: line, given.
EXAMPLE_REFUSED = KINDS["mapping.check.example-refused"]
NONE_ACCEPTED = KINDS["mapping.check.none-accepted"]
