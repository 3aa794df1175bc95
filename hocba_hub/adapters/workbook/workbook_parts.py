"""The small parts of a workbook: which sheets it has, which number formats are dates, the texts that cells share."""

from __future__ import annotations

import posixpath
import re
from array import array
from dataclasses import dataclass, field

from hocba_hub.adapters.workbook.package import Package, elements, feed, refusal, xml_parser
from hocba_hub.mappings import finding_kinds as kinds

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_DAYS = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
"""Built-in number formats that show a day (ECMA-376 part 1, 18.8.30)."""
_NOT_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MOST_CACHED = 8_192
_LONGEST_CACHED = 64
LONGEST_TEXT = 32_767
"""Characters of a cell (Excel's own bound)."""
MOST_COLUMNS = 2_048
"""Far more than any form has (Excel's own bound: 16,384)."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet, as the workbook lists it."""

    name: str
    part: str
    """The file in the zip."""
    is_hidden: bool


@dataclass(slots=True)
class Contents:
    """What a workbook lists."""

    sheets: list[SheetPart] = field(default_factory=list)
    counts_from_1904: bool = False
    styles: str = ""
    texts: str = ""
    """The files in the zip; empty if there is none."""


def read_contents(package: Package) -> Contents:
    """What the workbook of a package lists.

    Raises:
        SourceError: it is no workbook, or its list cannot be read.
    """
    root = _targets(package, "_rels/.rels", "") if "_rels/.rels" in package else {}
    main = next((part for kind, part in root.values() if kind == "officeDocument"), "")
    if main not in package:
        raise refusal(kinds.NOT_WORKBOOK)
    if main.endswith(".bin"):
        raise refusal(kinds.BINARY_WORKBOOK)
    folder, _, name = main.rpartition("/")
    rels = posixpath.join(folder, "_rels", f"{name}.rels")
    targets = _targets(package, rels, folder) if rels in package else {}
    contents = Contents()
    for kind, part in targets.values():
        if kind == "styles" and part in package:
            contents.styles = part
        elif kind == "sharedStrings" and part in package:
            contents.texts = part
    roots: list[str] = []

    def start(tag: str, given: dict[str, str]) -> None:
        roots.append(tag) if not roots else None
        if tag == "workbookPr":
            contents.counts_from_1904 = given.get("date1904", "0") in ("1", "true")
        elif tag == "sheet":
            reference = given.get(f"{_RELATIONS} id") or given.get(f"{_STRICT_RELATIONS} id") or ""
            kind, part = targets.get(reference, ("", ""))
            if kind == "worksheet":
                hidden = given.get("state", "visible") != "visible"
                contents.sheets.append(SheetPart(given.get("name", ""), part, hidden))

    elements(package, main, start)
    if roots != ["workbook"]:
        raise refusal(kinds.NOT_WORKBOOK)
    return contents


def _targets(package: Package, name: str, folder: str) -> dict[str, tuple[str, str]]:
    """Reference → last word of its kind and file in the zip, of those that are inside of it."""
    targets: dict[str, tuple[str, str]] = {}

    def start(tag: str, given: dict[str, str]) -> None:
        if tag == "Relationship" and given.get("TargetMode") != "External":
            target = given.get("Target", "")
            part = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            targets[given.get("Id", "")] = given.get("Type", "").rpartition("/")[2], part

    elements(package, name, start)
    return targets


def read_day_styles(package: Package, name: str) -> frozenset[str]:
    """The styles, by the number that cells give, whose numbers are days."""
    formats: dict[str, str] = {}
    styles: list[str] = []
    within: list[str] = [""]

    def start(tag: str, given: dict[str, str]) -> None:
        if tag in ("cellXfs", "cellStyleXfs", "dxfs"):
            within[0] = tag
        elif tag == "numFmt":
            formats[given.get("numFmtId", "")] = given.get("formatCode", "")
        elif tag == "xf" and within[0] == "cellXfs":
            styles.append(given.get("numFmtId", "0"))

    elements(package, name, start)
    return frozenset(str(number) for number, style in enumerate(styles) if _is_day(style, formats))


def _is_day(style: str, formats: dict[str, str]) -> bool:
    if style in formats:
        letters = _NOT_LETTERS.sub("", formats[style].partition(";")[0]).lower()
        return "d" in letters or "y" in letters
    return style.isdigit() and int(style) in _DAYS


class Texts:
    """The texts that cells share, held as bytes: a million names take 40 MB instead of 150."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        self._cache: dict[int, str] = {}

    def __getitem__(self, number: int) -> str:
        known = self._cache.get(number)
        if known is not None:
            return known
        if number < 0:
            raise IndexError(number)
        text = self._bytes[self._ends[number] : self._ends[number + 1]].decode()
        if len(text) <= _LONGEST_CACHED:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[number] = text
        return text

    def add(self, text: str) -> None:
        """Add the next text."""
        self._bytes += text.encode("utf-8", "replace")
        self._ends.append(len(self._bytes))

    @property
    def size(self) -> int:
        """Bytes of all texts and their ends."""
        return len(self._bytes) + 8 * len(self._ends)


def read_texts(package: Package, name: str) -> Texts:
    """The texts that cells share; of each the parts joined, without what says how to pronounce it.

    Raises:
        SourceError: they cannot be read, or are too many.
    """
    texts = Texts()
    parts: list[str] = []
    length = [0]
    parser = xml_parser()

    def start(tag: str, _: dict[str, str]) -> None:
        tag = tag.rpartition(" ")[2]
        if tag == "t":
            parser.CharacterDataHandler = take
        elif tag == "rPh":
            parser.StartElementHandler = None

    def take(text: str) -> None:
        length[0] += len(text)
        if length[0] > LONGEST_TEXT:
            raise refusal(kinds.TOO_LARGE, name, f"{LONGEST_TEXT:,}")
        parts.append(text)

    def end(tag: str) -> None:
        parser.CharacterDataHandler = None
        if tag.endswith(" rPh"):
            parser.StartElementHandler = start
        elif tag.endswith(" si"):
            texts.add(unescaped("".join(parts)))
            parts.clear()
            length[0] = 0

    parser.StartElementHandler, parser.EndElementHandler = start, end
    for _ in feed(parser, package, name):
        if texts.size > package.limits.text_bytes:
            raise refusal(kinds.TOO_LARGE, name, f"{package.limits.text_bytes >> 20:,} MB")
    return texts


def unescaped(text: str) -> str:
    """The text with `_x000D_` and the like as the characters they stand for (ECMA-376 part 1, 22.9.2.19)."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
