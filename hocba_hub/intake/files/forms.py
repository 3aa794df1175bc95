"""Which form a file has: by its media type, else by the ending of its name."""

from __future__ import annotations

from enum import StrEnum

from hocba_hub.mappings.document.document import JSON, ROWS, XML


class Form(StrEnum):
    """A form of files that are read."""

    XLSX = "xlsx"
    CSV = "csv"
    XML = "xml"
    NDJSON = "ndjson"
    ZIP = "zip"

    @property
    def source_format(self) -> str | None:
        """The format that mappings call it by; None for a zip, whose entries have their own."""
        return _SOURCES.get(self)

    @property
    def ending(self) -> str:
        """Ending of the names of such files."""
        return f".{self.value}"


_SOURCES = {Form.XLSX: ROWS, Form.CSV: ROWS, Form.XML: XML, Form.NDJSON: JSON}
MEDIA_TYPES = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Form.XLSX,
    "text/csv": Form.CSV,
    "text/tab-separated-values": Form.CSV,
    "application/xml": Form.XML,
    "text/xml": Form.XML,
    "application/x-ndjson": Form.NDJSON,
    "application/ndjson": Form.NDJSON,
    "application/jsonl": Form.NDJSON,
    "application/zip": Form.ZIP,
    "application/x-zip-compressed": Form.ZIP,
}
"""Media type → form."""
_ENDINGS = {
    "xlsx": Form.XLSX, "csv": Form.CSV, "tsv": Form.CSV, "txt": Form.CSV, "xml": Form.XML,
    "ndjson": Form.NDJSON, "jsonl": Form.NDJSON, "zip": Form.ZIP,
}  # fmt: skip


def form_of_name(name: str) -> Form | None:
    """The form that the ending of a name says; None if it is none of ours."""
    return _ENDINGS.get(name.rpartition(".")[2].lower())


def form_of(media_type: str, name: str) -> Form | None:
    """The form of a file; None if neither its media type nor its name says one of ours."""
    return MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower()) or form_of_name(name)
