"""Reading a mapping's text before anything is done with it: what the static check says is a problem or a warning."""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.api.problems import ProblemError
from hocba_hub.api.request_errors import request_error
from hocba_hub.api.shapes import Finding as FindingShape
from hocba_hub.mappings import findings as kinds
from hocba_hub.mappings.check import check
from hocba_hub.mappings.document import Document
from hocba_hub.mappings.parse import read_document
from hocba_hub.mappings.reading import finding
from hocba_hub.mappings.schemas import NAMES, SchemaUnknownError, target_schema
from hocba_hub.mappings.shelf import Shelf
from hocba_hub.mappings.values import value_class
from hocba_hub.model.findings import Finding, Severity


def checked_draft(text: str, shelf: Shelf, name: str) -> tuple[Document, list[Finding]]:
    """The document of a text and the check's warnings.

    Raises:
        ProblemError: 422, it has errors, or is of another mapping.
    """
    document, found = read_document(text)
    if document is None:
        raise _wrong(found)
    if document.name != name:
        raise ProblemError("request.invalid", errors=[request_error("literal_error", ("body", "document"), name)])
    try:
        target = target_schema(document.target.schema)
    except SchemaUnknownError as error:
        line = document.line("/target")
        given = value_class(document.target.schema)
        raise _wrong([finding(kinds.FORM, "/target", ", ".join(NAMES), given, line=line)]) from error
    found = check(shelf.filled(document), shelf.tables, target)
    if any(one.kind.severity is Severity.ERROR for one in found):
        raise _wrong(found)
    return document, found


def version_text(document: Document) -> str:
    """The version as people write it."""
    return ".".join(map(str, document.version))


def findings_shown(findings: Sequence[Finding]) -> list[FindingShape]:
    """Findings as an answer has them."""
    return [FindingShape.model_validate(one.as_json()) for one in findings]


def _wrong(findings: Sequence[Finding]) -> ProblemError:
    return ProblemError("mapping.wrong", findings=[one.as_json() for one in findings])
