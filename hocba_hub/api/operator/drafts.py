"""Reading a mapping's text before anything is done with it: what the static check says is a problem or a warning."""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.problems.request_errors import request_error
from hocba_hub.api.shapes import Finding as FindingShape
from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.document.parse import read_document
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.schemas import NAMES, SchemaUnknownError
from hocba_hub.mappings.values.value import value_class
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import Finding, Severity


def checked_draft(text: str, mappings: MappingSet, name: str) -> tuple[Document, list[Finding]]:
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
        target = mappings.schema(document.target)
    except SchemaUnknownError as error:
        line = document.line("/target")
        given = value_class(document.target)
        raise _wrong([finding(kinds.FORM, "/target", ", ".join(NAMES), given, line=line)]) from error
    found = check(mappings.filled(document), mappings.tables, target)
    if any(one.kind.severity is Severity.ERROR for one in found):
        raise _wrong(found)
    return document, found


def findings_shown(findings: Sequence[Finding]) -> list[FindingShape]:
    """Findings as an answer has them."""
    return [FindingShape.model_validate(one.as_json()) for one in findings]


def _wrong(findings: Sequence[Finding]) -> ProblemError:
    return ProblemError("mapping.wrong", findings=[one.as_json() for one in findings])
