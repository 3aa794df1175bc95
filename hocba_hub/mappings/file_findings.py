"""What can be said of a file itself, and of the entries of a zip. Facts: part, the name of the entry."""

from __future__ import annotations

from hocba_hub.model.findings import FindingKind, Severity


def _error(code: str, message_vi: str, message_en: str) -> FindingKind:
    return FindingKind(f"file.{code}", Severity.ERROR, message_vi, message_en)


ARCHIVE_DAMAGED = _error(
    "archive-damaged",
    "Tệp ZIP bị hỏng hoặc không đọc được. Nén lại rồi gửi lại.",
    "The ZIP file is damaged, or cannot be read. Pack it and send it again.",
)
ARCHIVE_TOO_LARGE = _error(
    "archive-too-large",
    "Tệp ZIP giãn ra quá lớn hoặc có quá nhiều mục; cho phép: {expected}. Chia thành nhiều tệp.",
    "The ZIP file grows too large, or has too many entries; allowed: {expected}. Split it into several files.",
)
ENTRY_DAMAGED = _error(
    "entry-damaged",
    "Mục này trong tệp ZIP bị hỏng.",
    "This entry of the ZIP file is damaged.",
)
ENTRY_ENCRYPTED = _error(
    "entry-encrypted",
    "Mục này trong tệp ZIP được bảo vệ bằng mật khẩu. Bỏ mật khẩu rồi gửi lại.",
    "This entry of the ZIP file is protected by a password. Remove it and send the file again.",
)
ENTRY_NESTED = _error(
    "entry-nested",
    "Không nhận tệp ZIP nằm trong tệp ZIP. Đưa các tệp ra ngoài rồi gửi lại.",
    "A ZIP file within a ZIP file is not read. Take its files out and send them again.",
)
ENTRY_UNKNOWN = FindingKind(
    "file.entry-unknown",
    Severity.WARNING,
    "Mục này trong tệp ZIP không phải XLSX, CSV, XML hay NDJSON nên được bỏ qua.",
    "This entry of the ZIP file is none of XLSX, CSV, XML and NDJSON; it was left out.",
)
FILE_FULL = _error(
    "full",
    "Tệp chứa nhiều hơn mức cho phép ({expected}); phần vượt không được đọc. Chia thành nhiều tệp.",
    "The file holds more than is allowed ({expected}); what is beyond it was not read. Split it into several files.",
)

KINDS = (ARCHIVE_DAMAGED, ARCHIVE_TOO_LARGE, ENTRY_DAMAGED, ENTRY_ENCRYPTED, ENTRY_NESTED, ENTRY_UNKNOWN, FILE_FULL)
"""Every kind of this file."""
