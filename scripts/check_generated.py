"""Documents that are generated from the code: `python -m scripts.check_generated` says whether each is up to date.

With `--write` it writes them again (`make docs`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from hocba_hub.api.app import openapi_page
from hocba_hub.api.problems.problem_pages import problems_page
from hocba_hub.intake.finding_kinds import KINDS as INTAKE_KINDS
from hocba_hub.mappings.finding_kinds import KINDS as MAPPING_KINDS
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.model.finding_kinds import KINDS
from hocba_hub.model.publication import json_schema, xsd
from hocba_hub.rules.catalogue import KINDS as RULE_KINDS
from scripts import dictionary, rule_changes
from scripts.card_pages import card_page, card_page_vi
from scripts.monitoring_pages import monitoring_files
from scripts.rules_pages import rules_page, rules_page_vi

_ROOT = Path(__file__).parent.parent


def findings_page() -> bytes:
    """The public catalogue of findings, by family, in Vietnamese and English."""
    return "\n".join(_findings_lines()).encode() + b"\n"


def _findings_lines() -> Iterator[str]:
    yield "# Danh mục phát hiện · Catalogue of findings"
    yield ""
    yield "Mã là ổn định. `{…}` được thay bằng nhãn của trường, điều được mong đợi hoặc loại giá trị; không bao giờ"
    yield "bằng chính giá trị đã gửi. · Codes are stable. `{…}` stands for the field's label, what was expected, or the"
    yield "class of the value; never for the value itself. `make docs` writes this page."
    by_code = sorted(
        (*KINDS.values(), *MAPPING_KINDS.values(), *INTAKE_KINDS.values(), *RULE_KINDS.values()),
        key=lambda kind: kind.code,
    )
    for family, kinds in groupby(by_code, key=lambda kind: kind.family):
        yield f"\n## `{family}.*`\n"
        yield "| code | severity | tiếng Việt | English | source |"
        yield "|---|---|---|---|---|"
        for kind in kinds:
            cells = (f"`{kind.code}`", kind.severity.value, kind.message_vi, kind.message_en, kind.reference)
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


_BY_HAND = _ROOT / "docs/destinations.md"
_COVERAGE = "<!-- From here on the page is written by `make docs`. -->\n"


def destinations_page() -> bytes:
    """The page on destinations: what people wrote, and the coverage of the shipped mappings behind it."""
    written = _BY_HAND.read_text(encoding="utf-8").partition(_COVERAGE)[0]
    return (written + _COVERAGE + "\n".join(_coverage_lines()) + "\n").encode()


def _coverage_lines() -> Iterator[str]:
    library = shipped_library()
    for name in dictionary.MAPPINGS:
        document = library.select(name)
        fields = list(dictionary.held(document))
        yield f"\n### `{document.name}` {document.number}\n"
        yield f"{sum(bool(field.source) for field in fields)} of {len(fields)} fields are written."
        for table, rows in groupby(fields, key=lambda field: field.table):
            yield f"\n`{table}`\n"
            yield "| field | nhãn · label | longest | required | from | remark |"
            yield "|---|---|---|---|---|---|"
            for field in rows:
                cells = (
                    f"`{field.field}`",
                    field.label_vi,
                    field.length,
                    "yes" if field.required else "",
                    field.source or "not held",
                    field.remark,
                )
                yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


GENERATED: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("docs/schema/report-card.schema.json", json_schema),
    ("docs/schema/report-card.xsd", xsd),
    ("docs/report-card.md", card_page),
    ("docs/report-card.vi.md", card_page_vi),
    ("docs/findings.md", findings_page),
    ("docs/rules.md", rules_page),
    ("docs/rules.vi.md", rules_page_vi),
    ("docs/destinations.md", destinations_page),
    ("docs/openapi.json", openapi_page),
    ("docs/problems.md", problems_page),
    *monitoring_files(),
)
"""Each generated document's path from the root, and the function that returns its bytes."""


def stale(root: Path) -> list[str]:
    """The generated documents under a root that are missing or differ from what the code says."""
    return [
        path for path, content in GENERATED if not (root / path).is_file() or (root / path).read_bytes() != content()
    ]


def write(root: Path) -> None:
    """Write every generated document under a root."""
    for path, content in GENERATED:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content())


def main(arguments: list[str]) -> int:
    """Check, or write with `--write`; the exit code is 1 where a document differs or a changed rule is not told."""
    if arguments == ["--write"]:
        write(_ROOT)
    differing = stale(_ROOT)
    for path in differing:
        sys.stderr.write(f"{path} differs from the code; run `make docs`.\n")
    return 1 if rule_changes.main([]) or differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
