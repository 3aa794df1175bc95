"""docs/rules.md and docs/rules.vi.md: every rule, what it demands, where that is written, and since when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from hocba_hub.model.findings import Severity
from hocba_hub.rules.catalogue import CATALOGUE, ELSEWHERE
from hocba_hub.rules.circulars import SINCE, THRESHOLDS
from hocba_hub.rules.rule import Reason, Rule

_FAMILIES = {
    "primary": ("Tiểu học (TT 27/2020)", "Primary school (TT 27/2020)"),
    "secondary": ("THCS, THPT (TT 22/2021) và GDTX (TT 43/2021)", "Secondary (TT 22/2021), continuing (TT 43/2021)"),
    "earlier": ("Thông tư cũ, học bạ trích lục", "Circulars of before, cards transcribed from paper"),
    "identity": ("Số định danh", "Personal numbers"),
    "cross": ("Giữa các phần của học bạ", "Between the parts of a card"),
    "between": ("Giữa các học bạ của một học sinh", "Between the cards of one pupil"),
    "class": ("Lớp", "A class"),
}
_KINDS = {
    "primary": ("tiểu học", "primary", range(1, 6)),
    "secondary": ("THCS, THPT", "secondary", range(6, 13)),
    "continuing": ("GDTX", "continuing", range(6, 13)),
}
_SEVERITIES = {Severity.ERROR: ("lỗi", "error"), Severity.WARNING: ("cảnh báo", "warning")}
_VIETNAMESE, _ENGLISH = 0, 1

_OPENING = {
    _VIETNAMESE: """# Quy tắc kiểm tra học bạ

[English](rules.md) · [Nhật ký thay đổi](rules-changes.yaml)

Trục tính lại và so sánh, không bao giờ sửa điểm. Điểm được tính chính xác theo phần mười, làm tròn nửa lên.
**Lỗi**: bản ghi bị từ chối. **Cảnh báo**: bản ghi được nhận, nhà trường nên xem lại. Quy tắc không áp dụng được
(miễn học, khuyết tật, trích lục, thiếu điểm thành phần) có câu trả lời riêng, `not_checkable`, kèm lý do.
Phát hiện là hệ quả của phát hiện khác được xếp dưới phát hiện gốc (`folded`), nếu không nặng hơn gốc.

Quy tắc được chọn theo loại học bạ, cấp học, thông tư, khối và năm học. Tệp cấu hình (YAML) có thể tắt một quy tắc,
đổi mức độ, hoặc đổi con số của một thông tư:

```yaml
rules:
  secondary.retest: off
  secondary.year-average: {severity: warning}
thresholds:
  TT43/2021: {enough: 5}
```

`hocba-hub rules list`, `hocba-hub rules show secondary.promoted`, `hocba-hub rules check hocba.ndjson`.

Quy tắc của một học bạ được áp dụng ở mọi nơi kiểm tra. Quy tắc giữa các học bạ của một học sinh (`between.*`) và sĩ số
lớp (`class.size`) được áp dụng khi nhận học bạ, qua REST, SOAP hay tệp như nhau: học bạ được đối chiếu với các học bạ
khác đang có của học sinh, ở bất kỳ trường nào, và với lớp tại thời điểm đó. Học sinh được nhận biết theo số định danh;
chỉ khi không có mới theo mã học sinh. Phát hiện là cảnh báo trên học bạ vừa gửi, và nằm trong danh sách còn phải sửa
(`GET /v1/findings`, `matter: pupil` hoặc `class`) của mọi trường có học bạ không khớp; nó ra khỏi danh sách khi một
trong các học bạ được sửa hoặc thu hồi, dù trường nào làm. Khi lỗi chỉ thấy ở học bạ kia, chẳng hạn học bạ năm trước
đến sau, học bạ vừa gửi có `between.other-card`.

**Điều 9.3 có hai cách hiểu.** Điều này nâng mức bị thấp xuống từ hai bậc chỉ do một môn, nhưng không nói làm sao biết
là chỉ do một môn. *Bỏ ra*: không tính môn đó thì mức tốt hơn. *Nâng lên*: môn đó tốt thì mức tốt hơn. Với điểm
6,5 6,5 6,4 7,9 9,0 6,4 6,5 3,4 và mọi môn nhận xét đều Đạt, bỏ môn yếu ra chỉ còn năm môn từ 6,5, chưa đủ mức Khá (sáu
môn): không điều chỉnh, kết quả là Chưa đạt. Nâng môn đó lên thì đủ sáu môn, là Khá, nên mức được điều chỉnh lên Đạt. Hệ
thống tính theo cách *bỏ ra*; mức đúng theo cách kia là `secondary.learning.adjusted`, cảnh báo chứ không phải lỗi. Việc
nâng lên bao nhiêu cũng vậy: một bậc, hoặc đến bậc ngay dưới mức tốt hơn.

Những điều không kiểm tra được được nêu cho ai hỏi: `?not_checkable=true` khi gửi, kiểm tra thử và gửi tệp;
`<not_checkable>true</not_checkable>` trong SOAP; cột cuối của bảng tính phát hiện với tệp gửi như vậy; tùy chọn
`--not-checkable` của `files import` và `watch`; `rules check --all`.
""",
    _ENGLISH: """# Rules that a report card is checked by

[Tiếng Việt](rules.vi.md) · [Change log](rules-changes.yaml)

The hub computes again and compares; it never changes a mark. Marks are exact, in tenths, half up.
**Error**: the record is rejected. **Warning**: the record is accepted, the school should look. A rule that cannot be
applied (exempt, disabled, transcribed, marks missing) has an answer of its own, `not_checkable`, with the reason.
A finding that follows from another is folded under it (`folded`) where it does not weigh more.

Rules are chosen by kind of card, level, circular, grade and school year. A configuration file (YAML) may switch a rule
off, change its severity, or change a figure of a circular:

```yaml
rules:
  secondary.retest: off
  secondary.year-average: {severity: warning}
thresholds:
  TT43/2021: {enough: 5}
```

`hocba-hub rules list`, `hocba-hub rules show secondary.promoted`, `hocba-hub rules check cards.ndjson`.

Rules of one card judge wherever a card is checked. The rules between a pupil's cards (`between.*`) and of class size
(`class.size`) judge where a card is accepted, by REST, SOAP and file alike: it is held against the pupil's other cards
as they stand, at whatever school, and against the class as it is then. A pupil is known by the personal number, and
only where there is none by the pupil's code. What is found is a warning on the card that came, and stands on the open
list (`GET /v1/findings`, `matter: pupil` or `class`) of every school whose card does not fit; it leaves the list when
one of the cards is mended or recalled, whichever school does so. Where the fault shows in the other card only, as when
the card of an earlier year comes later, the card that came gets `between.other-card`.

**Art. 9.3 can be read in two ways.** It raises a level that one subject alone lowers by two steps or more; how to see
that one subject alone does it, it does not say. *Left out*: the level would be better without that subject. *Lifted*:
it would be better with a good result in it. With the marks 6.5 6.5 6.4 7.9 9.0 6.4 6.5 3.4, and every comment subject
passed, there are five marks of 6.5 without the weak subject, too few for Khá (six): left out, nothing rises, and the
level is Chưa đạt. Lifted there are six, which is Khá, so that the level rises to Đạt. The hub computes by *left out*; a
level that follows from the other reading is `secondary.learning.adjusted`, a warning, never an error. The same holds
for how far it rises: by one step, or to just below the better level.

What could not be checked is told to whoever asks: `?not_checkable=true` on the calls that submit, validate and send
files; `<not_checkable>true</not_checkable>` in SOAP; a last column of the findings workbook for a file that was sent
so; `--not-checkable` of `files import` and `watch`; `rules check --all`.
""",
}
_EXPECTED = re.compile(r"([;:,]? ?(ở đây|here|cần|wanted)?:?| ở| at)? ?\(?\{expected\}\)?( expected| wanted)?")
"""Where a message shows what was expected of one card: nothing that a rule says of all."""
_HEADS = {
    _VIETNAMESE: "| mã | dòng | mức độ | quy tắc | căn cứ | áp dụng |",
    _ENGLISH: "| code | row | severity | rule | source | applied to |",
}
_TITLES = {
    _VIETNAMESE: ("Con số của từng thông tư", "Lộ trình", "Dòng không cần quy tắc riêng", "Không kiểm tra được"),
    _ENGLISH: ("Figures of each circular", "Roadmap", "Rows without a rule of their own", "What cannot be checked"),
}


def rules_page() -> bytes:
    """docs/rules.md."""
    return _page(_ENGLISH)


def rules_page_vi() -> bytes:
    """docs/rules.vi.md."""
    return _page(_VIETNAMESE)


def _page(language: int) -> bytes:
    return "\n".join(_lines(language)).encode() + b"\n"


def _lines(language: int) -> Iterator[str]:
    figures, roadmap, rows, unchecked = _TITLES[language]
    yield _OPENING[language]
    for family, rules in groupby(CATALOGUE.values(), key=lambda rule: rule.code.partition(".")[0]):
        yield f"## {_FAMILIES[family][language]}\n"
        yield _HEADS[language]
        yield "|---|---|---|---|---|---|"
        yield from (_row(rule, language) for rule in rules)
        yield ""
    yield f"## {unchecked}\n"
    for reason in Reason:
        kind = reason.value
        yield f"- `{kind.code}`: {(kind.message_vi, kind.message_en)[language].replace('{rules}', '…')}"
    yield f"\n## {rows}\n"
    yield from (f"- **{row}**: {texts[language]}" for row, texts in ELSEWHERE.items())
    yield f"\n## {figures}\n"
    names = list(THRESHOLDS)
    yield f"| | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for figure in type(THRESHOLDS[names[0]]).__dataclass_fields__:
        cells = (str(getattr(THRESHOLDS[name], figure)) for name in names)
        yield f"| `{figure}` | {' | '.join(cells)} |"
    yield f"\n## {roadmap}\n"
    yield from (f"- {('khối', 'grade')[language]} {grade}: {since}-{since + 1}" for grade, since in SINCE.items())


def _row(rule: Rule, language: int) -> str:
    sources = "; ".join(dict.fromkeys((rule.reference, *rule.references.values())))
    if language == _VIETNAMESE:
        sources = sources.replace("Art.", "Điều").replace("App.", "Phụ lục")
    cells = (
        f"`{rule.code}`",
        rule.row,
        _SEVERITIES[rule.severity][language],
        _EXPECTED.sub("", (rule.vi, rule.en)[language]),
        sources,
        _applied(rule, language),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _applied(rule: Rule, language: int) -> str:
    """Kinds of card, grades, school years, and the cards that are left out."""
    of, paper, plan = (
        ("khối", "trừ học bạ trích lục", "trừ học sinh không đánh giá"),
        ("grades", "not transcribed", "not a pupil who is not assessed"),
    )[language]
    kinds = [kind for kind in _KINDS if kind in rule.kinds]
    grades = [grade for grade in rule.grades if any(grade in _KINDS[kind][2] for kind in kinds)]
    said = [f"{', '.join(_KINDS[kind][language] for kind in kinds)}: {of} {grades[0]}-{grades[-1]}"]
    if rule.since:
        said.append(f"{rule.since}-{rule.since + 1} →" + (f" {rule.until}-{rule.until + 1}" if rule.until else ""))
    if not rule.checks_paper:
        said.append(paper)
    if rule.needs_assessment:
        said.append(plan)
    return "; ".join(said)
