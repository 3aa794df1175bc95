"""The findings of this room: what a translation, a mapping document, a code table or a static check can say.

Kinds under `mapping.value`, `mapping.table`, `mapping.source` and `destination` are about what a client sent;
all others are about a mapping document, and are read by the person who writes it.
"""

from __future__ import annotations

from hocba_hub.mappings import file_findings, workbook_findings
from hocba_hub.model.findings import FindingKind, Severity


def _error(code: str, message_vi: str, message_en: str) -> FindingKind:
    return FindingKind(f"mapping.{code}", Severity.ERROR, message_vi, message_en)


def _warning(code: str, message_vi: str, message_en: str) -> FindingKind:
    return FindingKind(f"mapping.{code}", Severity.WARNING, message_vi, message_en)


# A record's values. Facts: target.
MISSING = _error(
    "value.missing",
    "Thiếu giá trị bắt buộc cho trường {target}.",
    "A required value is missing: it becomes {target}.",
)
UNREADABLE = _error(
    "value.unreadable",
    "Giá trị của trường {target} không đọc được ({value_class_vi}); cần: {expected}.",
    "The value for {target} cannot be read ({value_class}); expected: {expected}.",
)
SEVERAL = _error(
    "value.several",
    "Có nhiều giá trị ở nơi chỉ cho phép một giá trị (trường {target}).",
    "There are several values where only one can stand (for {target}).",
)
STRUCTURE = _error(
    "value.structure",
    "Cấu trúc không đúng ({value_class_vi}); cần: {expected_vi} (trường {target}).",
    "Wrong structure ({value_class}); expected: {expected} (for {target}).",
)
CELL_ERROR = _error(
    "value.cell-error",
    "Ô chứa lỗi của bảng tính thay cho giá trị (trường {target}). Sửa công thức trong ô rồi lưu lại tệp.",
    "The cell holds a spreadsheet error instead of a value (for {target}). Mend its formula and save the file again.",
)
TOO_LONG = _error(
    "value.too-long",
    "Trường {target} dài quá: {value_class_vi}; cho phép: {expected}.",
    "{target} is too long: {value_class}; allowed: {expected}.",
)
WRONG_TYPE = _error(
    "value.wrong-type",
    "Trường {target} sai kiểu ({value_class_vi}); cần: {expected_vi}.",
    "{target} has the wrong type ({value_class}); expected: {expected}.",
)
NOT_ALLOWED = _error(
    "value.not-allowed",
    "Giá trị của trường {target} không nằm trong danh sách cho phép: {expected}.",
    "The value for {target} is not one of those allowed: {expected}.",
)
WRONG_FORM = _error(
    "value.wrong-form",
    "Giá trị của trường {target} không đúng dạng ({value_class_vi}); cần: {expected}.",
    "The value for {target} does not have the right form ({value_class}); expected: {expected}.",
)
OUT_OF_RANGE = _error(
    "value.out-of-range",
    "Giá trị của trường {target} nằm ngoài khoảng cho phép: {expected}.",
    "The value for {target} is out of range: {expected}.",
)
EXPRESSION_FAILED = _error(
    "value.expression-failed",
    "Biểu thức của trường {target} không tính được trên bản ghi này ({expected}).",
    "The expression for {target} failed on this record ({expected}).",
)

# A card that a destination could not hold, said when the card comes in. Facts: destination, field.
HELD_NOT = FindingKind(
    "destination.not-held",
    Severity.ERROR,
    "Nơi nhận {destination} không nhận được giá trị này: trường {field} cần {expected_vi} ({value_class_vi}).",
    "{destination} could not hold this: its field {field} wants {expected} ({value_class}).",
)
HELD_TOO_LONG = FindingKind(
    "destination.too-long",
    Severity.ERROR,
    "Nơi nhận {destination} không nhận được giá trị này: trường {field} chỉ dài tối đa {expected} ký tự"
    " ({value_class_vi}).",
    "{destination} could not hold this: its field {field} takes at most {expected} characters ({value_class}).",
)
HELD_MISSING = FindingKind(
    "destination.missing",
    Severity.ERROR,
    "Nơi nhận {destination} cần giá trị này cho trường {field}, nhưng học bạ không có.",
    "{destination} needs this for its field {field}, but the card does not have it.",
)

# Code tables. Facts: target, table.
CODE_UNKNOWN = _error(
    "table.unknown",
    "Bảng mã {table} không có mã này (trường {target}). Mã đã được ghi vào danh sách mã chưa ánh xạ.",
    "The code table {table} does not know this value (for {target}). It was added to the list of unmapped codes.",
)
CODE_AMBIGUOUS = _error(
    "table.ambiguous",
    "Bảng mã {table} có nhiều kết quả cho mã này (trường {target}): {expected}. Hệ thống không tự chọn.",
    "The code table {table} has several answers for this value (for {target}): {expected}. The hub does not guess.",
)
CODE_OUT_OF_VALIDITY = _error(
    "table.out-of-validity",
    "Bảng mã {table}: mã này không có hiệu lực vào ngày cần tra (trường {target}); hiệu lực: {expected}.",
    "The code table {table}: this code is not in force on the date asked (for {target}); in force: {expected}.",
)
CODE_KEPT = _warning(
    "table.kept",
    "Bảng mã {table} không có mã này (trường {target}); giữ nguyên giá trị gốc.",
    "The code table {table} does not know this value (for {target}); it was kept as it came.",
)

# A document or file that holds records. Facts vary.
NO_RECORDS = _error(
    "source.no-records",
    "Không tìm thấy bản ghi nào ở {expected}.",
    "No record was found at {expected}.",
)
NO_VERSION = _error(
    "source.no-version",
    "Không có phiên bản nào của ánh xạ {expected} dùng cho năm học này.",
    "No version of the mapping {expected} is for this school year.",
)
NOT_A_RECORD = _error(
    "source.not-a-record",
    "Bản ghi không phải là một đối tượng ({value_class_vi}).",
    "The record is not an object ({value_class}).",
)
NOT_XML = _error(
    "source.not-xml",
    "Tài liệu XML không đúng cú pháp hoặc không an toàn ({expected}).",
    "The XML document is not well-formed, or not safe ({expected}).",
)
SHEET_MISSING = _error(
    "source.sheet-missing",
    "Tệp không có trang tính {expected}.",
    "The file has no sheet {expected}.",
)
COLUMN_MISSING = _error(
    "source.column-missing",
    "Trang tính {sheet} không có cột {expected} trong các dòng tiêu đề.",
    "The sheet {sheet} has no column {expected} in its header rows.",
)
COLUMN_TWICE = _error(
    "source.column-twice",
    "Trang tính {sheet} có hai cột cùng tên {expected}.",
    "The sheet {sheet} has two columns named {expected}.",
)
KEY_MISSING = _error(
    "source.key-missing",
    "Dòng không có giá trị ở cột khóa {expected}.",
    "The row has no value in its key column {expected}.",
)
KEY_REPEATED = _error(
    "source.key-repeated",
    "Dòng lặp lại khóa ({expected}) của một bản ghi đã kết thúc ở trên; các dòng của một bản ghi phải liền nhau.",
    "The row repeats the key ({expected}) of a record that ended above; the rows of a record must stand together.",
)
KEY_UNMATCHED = _error(
    "source.key-unmatched",
    "Dòng có khóa không khớp với bản ghi nào của trang tính {expected}.",
    "The row's key matches no record of the sheet {expected}.",
)

# The text of a mapping document or of a code table. Facts: line.
TEXT_UNREADABLE = _error(
    "document.unreadable",
    "Dòng {line}: không đọc được YAML ({expected_vi}).",
    "Line {line}: not readable as YAML ({expected}).",
)
TEXT_TOO_LARGE = _error(
    "document.too-large",
    "Tài liệu quá lớn; cho phép: {expected_vi}.",
    "The document is too large; allowed: {expected}.",
)
TEXT_CYCLIC = _error(
    "document.cyclic",
    "Dòng {line}: neo YAML tham chiếu đến chính nó.",
    "Line {line}: a YAML anchor refers to itself.",
)
KEY_TWICE = _error(
    "document.key-twice",
    "Dòng {line}: khóa {expected} được khai báo hai lần.",
    "Line {line}: the key {expected} is given twice.",
)
KEY_UNKNOWN = _error(
    "document.key-unknown",
    "Dòng {line}: khóa {given} không được dùng ở đây; các khóa cho phép: {expected_vi}.",
    "Line {line}: the key {given} is not used here; allowed: {expected}.",
)
KEY_ABSENT = _error(
    "document.key-absent",
    "Dòng {line}: thiếu {expected_vi}.",
    "Line {line}: {expected} is missing.",
)
FORM = _error(
    "document.form",
    "Dòng {line}: cần {expected_vi}, nhưng đây là {value_class_vi}.",
    "Line {line}: expected {expected}, but this is {value_class}.",
)
PATH_WRONG = _error(
    "document.path",
    "Dòng {line}: đường dẫn không đúng cú pháp: {expected_vi}.",
    "Line {line}: not a path: {expected}.",
)
TRANSFORM_UNKNOWN = _error(
    "document.transform-unknown",
    "Dòng {line}: không có phép biến đổi {given}; các phép có sẵn: {expected}.",
    "Line {line}: there is no transform {given}; known: {expected}.",
)
TRANSFORM_ARGUMENT = _error(
    "document.transform-argument",
    "Dòng {line}: tham số của phép biến đổi {given} không đúng; cần: {expected_vi}.",
    "Line {line}: wrong argument of the transform {given}; expected: {expected}.",
)
EXPRESSION_WRONG = _error(
    "document.expression",
    "Dòng {line}: biểu thức JSONata không hợp lệ: {expected}.",
    "Line {line}: not a JSONata expression: {expected}.",
)

# The static check.
TARGET_UNKNOWN = _error(
    "check.target-unknown",
    "Dòng {line}: cấu trúc đích không có trường {target}{hint}.",
    "Line {line}: the target has no field {target}{hint}.",
)
TARGET_UNMAPPED = _error(
    "check.target-unmapped",
    "Trường bắt buộc {target} của cấu trúc đích không có quy tắc nào.",
    "The target's required field {target} has no rule.",
)
TARGET_NOT_REQUIRED = _warning(
    "check.target-may-be-empty",
    "Dòng {line}: trường {target} bắt buộc ở đích nhưng quy tắc không có required, default hay value.",
    "Line {line}: {target} is required by the target, but its rule has no required, default or value.",
)
TYPE_CONFLICT = _error(
    "check.type-conflict",
    "Dòng {line}: quy tắc cho trường {target} tạo ra {given_vi}, nhưng đích cần {expected_vi}.",
    "Line {line}: the rule for {target} gives {given}, but the target wants {expected}.",
)
LENGTH_CONFLICT = _error(
    "check.length-conflict",
    "Dòng {line}: quy tắc cho trường {target} có thể cho {given} ký tự, nhưng đích chỉ cho phép {expected}.",
    "Line {line}: the rule for {target} can give {given} characters, but the target allows {expected}.",
)
LENGTH_POSSIBLE = _warning(
    "check.length-possible",
    "Dòng {line}: quy tắc cho trường {target} có thể cho tới {given} ký tự, nhưng đích chỉ cho phép {expected}; học bạ"
    " dài hơn sẽ bị từ chối ngay khi tiếp nhận.",
    "Line {line}: the rule for {target} can give up to {given} characters, but the target allows {expected}; a longer"
    " card is refused when it comes in.",
)
VALUE_CONFLICT = _error(
    "check.value-conflict",
    "Dòng {line}: quy tắc cho trường {target} có thể cho {given}, nhưng đích chỉ nhận: {expected}.",
    "Line {line}: the rule for {target} can give {given}, but the target takes only: {expected}.",
)
TABLE_UNKNOWN = _error(
    "check.table-unknown",
    "Dòng {line}: không có bảng mã {given}; các bảng có sẵn: {expected}.",
    "Line {line}: there is no code table {given}; known: {expected}.",
)
COLUMN_UNKNOWN = _error(
    "check.column-unknown",
    "Dòng {line}: bảng mã {table} không có hệ mã {given}; các hệ mã: {expected}.",
    "Line {line}: the code table {table} has no code system {given}; known: {expected}.",
)
TABLE_CYCLIC = _error(
    "check.table-cyclic",
    "Bảng mã {table} kế thừa chính nó: {expected}.",
    "The code table {table} extends itself: {expected}.",
)
UNREACHABLE = _warning(
    "check.unreachable",
    "Dòng {line}: quy tắc này cho trường {target} không bao giờ được dùng, vì {expected_vi}.",
    "Line {line}: this rule for {target} is never used, because {expected}.",
)
SOURCE_UNKNOWN = _error(
    "check.source-unknown",
    "Dòng {line}: cấu trúc nguồn không có trường {given}{hint}.",
    "Line {line}: the source has no field {given}{hint}.",
)
SOURCE_UNREAD = _warning(
    "check.source-unread",
    "Trường nguồn {given} có trong ví dụ nhưng không quy tắc nào đọc.",
    "The source field {given} occurs in the examples, but no rule reads it.",
)
SOURCE_UNSEEN = _warning(
    "check.source-unseen",
    "Dòng {line}: không ví dụ nào có trường nguồn {given}{hint}.",
    "Line {line}: no example has the source field {given}{hint}.",
)
NO_EXAMPLES = _warning(
    "check.no-examples",
    "Tài liệu không có ví dụ nào; mỗi ánh xạ cần ít nhất một ví dụ đúng và một ví dụ sai.",
    "The document has no examples; a mapping needs at least one right and one wrong record.",
)
EXAMPLE_FAILED = _error(
    "check.example-failed",
    "Dòng {line}: ví dụ “{given}” không cho kết quả mong đợi: {expected}.",
    "Line {line}: the example “{given}” does not give what it says: {expected}.",
)

KINDS = (
    *(kind for kind in globals().copy().values() if isinstance(kind, FindingKind)),
    *workbook_findings.KINDS,
    *file_findings.KINDS,
)
"""Every kind of this room, for the catalogue."""
