"""What can be said of a workbook or CSV file itself: that it cannot be read, or what a reader should know of it.

The place is a sheet or a cell, as `Sheet!B7`, or nothing for the whole file.
"""

from __future__ import annotations

from hocba_hub.model.findings import FindingKind, Severity


def _error(code: str, message_vi: str, message_en: str) -> FindingKind:
    return FindingKind(f"mapping.{code}", Severity.ERROR, message_vi, message_en)


def _warning(code: str, message_vi: str, message_en: str) -> FindingKind:
    return FindingKind(f"mapping.{code}", Severity.WARNING, message_vi, message_en)


# A cell that a rule reads. Facts: target.
NO_RESULT = _error(
    "value.formula-without-result",
    "Ô chứa công thức nhưng tệp không lưu kết quả (trường {target}). Mở tệp bằng Excel, lưu lại rồi gửi lại.",
    "The cell holds a formula, but the file no result of it (for {target}). Open the file in Excel and save it again.",
)
MERGED = _error(
    "value.merged-cell",
    "Ô bị gộp với ô khác và không có giá trị riêng (trường {target}). Bỏ gộp ô rồi điền từng ô.",
    "The cell is merged with another one and has no value of its own (for {target}). Unmerge, and fill every cell.",
)

# A whole file.
NOT_WORKBOOK = _error(
    "source.not-workbook",
    "Tệp không phải là sổ tính Excel (.xlsx).",
    "The file is not an Excel workbook (.xlsx).",
)
OLD_WORKBOOK = _error(
    "source.old-workbook",
    "Tệp ở dạng Excel cũ (.xls). Lưu lại dưới dạng .xlsx rồi gửi lại.",
    "The file is an old Excel workbook (.xls). Save it as .xlsx and send it again.",
)
BINARY_WORKBOOK = _error(
    "source.binary-workbook",
    "Tệp ở dạng Excel nhị phân (.xlsb). Lưu lại dưới dạng .xlsx rồi gửi lại.",
    "The file is a binary Excel workbook (.xlsb). Save it as .xlsx and send it again.",
)
ENCRYPTED = _error(
    "source.encrypted-workbook",
    "Tệp được bảo vệ bằng mật khẩu. Bỏ mật khẩu rồi gửi lại.",
    "The file is protected by a password. Remove it and send the file again.",
)
MACROS = _error(
    "source.macros",
    "Tệp chứa macro. Lưu lại dưới dạng .xlsx (không macro) rồi gửi lại.",
    "The file holds macros. Save it as .xlsx, without them, and send it again.",
)
DAMAGED = _error(
    "source.damaged",
    "Tệp bị hỏng: không đọc được {part}.",
    "The file is damaged: {part} cannot be read.",
)
UNSAFE = _error(
    "source.unsafe",
    "Tệp chứa nội dung không an toàn ({part}): khai báo DTD hoặc thực thể XML.",
    "The file holds what is not safe ({part}): an XML document type or entity.",
)
TOO_LARGE = _error(
    "source.too-large",
    "Tệp quá lớn ({part}); cho phép: {expected_vi}. Chia thành nhiều tệp nhỏ hơn.",
    "The file is too large ({part}); allowed: {expected}. Split it into several files.",
)
NOT_TEXT = _error(
    "source.not-text",
    "Tệp CSV phải ở bảng mã UTF-8. Trong Excel hãy chọn “CSV UTF-8” khi lưu.",
    "A CSV file has to be in UTF-8. In Excel, choose “CSV UTF-8” when you save it.",
)

# What is read all the same. Facts: sheet.
FORMULAS = _warning(
    "source.formulas",
    "Trang tính {sheet} có {count} ô công thức; hệ thống lấy kết quả đã lưu trong tệp.",
    "The sheet {sheet} has {count} cells with formulas; the results stored in the file were taken.",
)
HIDDEN_SHEET = _warning(
    "source.hidden-sheet",
    "Trang tính {sheet} bị ẩn nhưng vẫn được đọc.",
    "The sheet {sheet} is hidden, and was read all the same.",
)
HIDDEN_COLUMNS = _warning(
    "source.hidden-columns",
    "Trang tính {sheet} có cột bị ẩn ({expected}); các cột đó vẫn được đọc.",
    "The sheet {sheet} has hidden columns ({expected}); they were read all the same.",
)
HIDDEN_ROWS = _warning(
    "source.hidden-rows",
    "Trang tính {sheet} có {count} dòng bị ẩn hoặc bị lọc; các dòng đó vẫn được đọc.",
    "The sheet {sheet} has {count} rows that are hidden or filtered out; they were read all the same.",
)
EXTERNAL_LINKS = _warning(
    "source.external-links",
    "Tệp có công thức liên kết đến tệp khác; hệ thống chỉ lấy kết quả đã lưu và không mở tệp khác.",
    "The file refers to other files; only the stored results were taken, and no other file was opened.",
)

KINDS = tuple(kind for kind in globals().copy().values() if isinstance(kind, FindingKind))
"""Every kind of this file."""
