"""The findings of this room: what a translation, a mapping document, a code table or a static check can say.

Kinds under `mapping.value`, `mapping.table`, `mapping.source` and `destination` are about what a client sent;
all others are about a mapping document, and are read by the person who writes it.
"""

from __future__ import annotations

from hocba_hub.model.findings import finding_kinds

KINDS = finding_kinds("hocba_hub.mappings")
"""Every kind of this room, by its code."""


# A record's values. Facts: target.
MISSING = KINDS["mapping.value.missing"]
UNREADABLE = KINDS["mapping.value.unreadable"]
SEVERAL = KINDS["mapping.value.several"]
STRUCTURE = KINDS["mapping.value.structure"]
CELL_ERROR = KINDS["mapping.value.cell-error"]
TOO_LONG = KINDS["mapping.value.too-long"]
WRONG_TYPE = KINDS["mapping.value.wrong-type"]
NOT_ALLOWED = KINDS["mapping.value.not-allowed"]
WRONG_FORM = KINDS["mapping.value.wrong-form"]
OUT_OF_RANGE = KINDS["mapping.value.out-of-range"]
EXPRESSION_FAILED = KINDS["mapping.value.expression-failed"]

# A card that a destination could not hold, said when the card comes in. Facts: destination, field.
HELD_NOT = KINDS["destination.not-held"]
HELD_TOO_LONG = KINDS["destination.too-long"]
HELD_MISSING = KINDS["destination.missing"]

# Code tables. Facts: target, table.
CODE_UNKNOWN = KINDS["mapping.table.unknown"]
CODE_AMBIGUOUS = KINDS["mapping.table.ambiguous"]
CODE_OUT_OF_VALIDITY = KINDS["mapping.table.out-of-validity"]
CODE_KEPT = KINDS["mapping.table.kept"]

# A document or file that holds records. Facts vary.
NO_RECORDS = KINDS["mapping.source.no-records"]
NO_VERSION = KINDS["mapping.source.no-version"]
NOT_A_RECORD = KINDS["mapping.source.not-a-record"]
NOT_XML = KINDS["mapping.source.not-xml"]
SHEET_MISSING = KINDS["mapping.source.sheet-missing"]
COLUMN_MISSING = KINDS["mapping.source.column-missing"]
COLUMN_TWICE = KINDS["mapping.source.column-twice"]
KEY_MISSING = KINDS["mapping.source.key-missing"]
KEY_REPEATED = KINDS["mapping.source.key-repeated"]
KEY_UNMATCHED = KINDS["mapping.source.key-unmatched"]

# The text of a mapping document or of a code table. Facts: line.
TEXT_UNREADABLE = KINDS["mapping.document.unreadable"]
TEXT_TOO_LARGE = KINDS["mapping.document.too-large"]
TEXT_CYCLIC = KINDS["mapping.document.cyclic"]
KEY_TWICE = KINDS["mapping.document.key-twice"]
KEY_UNKNOWN = KINDS["mapping.document.key-unknown"]
KEY_ABSENT = KINDS["mapping.document.key-absent"]
FORM = KINDS["mapping.document.form"]
PATH_WRONG = KINDS["mapping.document.path"]
TRANSFORM_UNKNOWN = KINDS["mapping.document.transform-unknown"]
TRANSFORM_ARGUMENT = KINDS["mapping.document.transform-argument"]
EXPRESSION_WRONG = KINDS["mapping.document.expression"]

# The static check.
TARGET_UNKNOWN = KINDS["mapping.check.target-unknown"]
TARGET_UNMAPPED = KINDS["mapping.check.target-unmapped"]
TARGET_NOT_REQUIRED = KINDS["mapping.check.target-may-be-empty"]
TYPE_CONFLICT = KINDS["mapping.check.type-conflict"]
LENGTH_CONFLICT = KINDS["mapping.check.length-conflict"]
LENGTH_POSSIBLE = KINDS["mapping.check.length-possible"]
VALUE_CONFLICT = KINDS["mapping.check.value-conflict"]
TABLE_UNKNOWN = KINDS["mapping.check.table-unknown"]
COLUMN_UNKNOWN = KINDS["mapping.check.column-unknown"]
TABLE_CYCLIC = KINDS["mapping.check.table-cyclic"]
UNREACHABLE = KINDS["mapping.check.unreachable"]
SOURCE_UNKNOWN = KINDS["mapping.check.source-unknown"]
SOURCE_UNREAD = KINDS["mapping.check.source-unread"]
SOURCE_UNSEEN = KINDS["mapping.check.source-unseen"]
NO_EXAMPLES = KINDS["mapping.check.no-examples"]
EXAMPLE_FAILED = KINDS["mapping.check.example-failed"]

# A cell that a rule reads. Facts: target.
NO_RESULT = KINDS["mapping.value.formula-without-result"]
MERGED = KINDS["mapping.value.merged-cell"]

# A whole file.
NOT_WORKBOOK = KINDS["mapping.source.not-workbook"]
OLD_WORKBOOK = KINDS["mapping.source.old-workbook"]
BINARY_WORKBOOK = KINDS["mapping.source.binary-workbook"]
ENCRYPTED = KINDS["mapping.source.encrypted-workbook"]
MACROS = KINDS["mapping.source.macros"]
DAMAGED = KINDS["mapping.source.damaged"]
UNSAFE = KINDS["mapping.source.unsafe"]
TOO_LARGE = KINDS["mapping.source.too-large"]
NOT_TEXT = KINDS["mapping.source.not-text"]

# What is read all the same. Facts: sheet.
FORMULAS = KINDS["mapping.source.formulas"]
HIDDEN_SHEET = KINDS["mapping.source.hidden-sheet"]
HIDDEN_COLUMNS = KINDS["mapping.source.hidden-columns"]
HIDDEN_ROWS = KINDS["mapping.source.hidden-rows"]
EXTERNAL_LINKS = KINDS["mapping.source.external-links"]
