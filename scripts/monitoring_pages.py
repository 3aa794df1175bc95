"""The pages on metrics, and the files of alerts and runbooks, from the catalogues of `hocba_hub.monitoring`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from hocba_hub.monitoring.alerts import Language, alerts, rules, runbook, runbooks_index
from hocba_hub.monitoring.catalogue import catalogue, exposed_name
from hocba_hub.monitoring.dashboards import dashboards, grafana

_INTRODUCTION = {
    "en": (
        "# Metrics",
        "",
        "`GET /metrics` of any API process tells all of these, of the whole hub, read from the store when it is asked.",
        "Labels are bounded: never a school, a client or a pupil. With `Accept: application/openmetrics-text` the",
        "histograms carry exemplars: the trace id of a call that fell into the bucket. `make docs` writes this page.",
        "",
        "What tells operators: [alerts and runbooks](runbooks/README.md); how to set it up:",
        "[monitoring.md](monitoring.md).",
    ),
    "vi": (
        "# Số đo",
        "",
        "`GET /metrics` của bất kỳ tiến trình API nào cho biết tất cả số đo dưới đây, của cả trục, đọc từ kho lúc được",
        "hỏi. Nhãn có giới hạn: không bao giờ là trường, phần mềm hay học sinh. Với",
        "`Accept: application/openmetrics-text`, các biểu đồ tần suất kèm trace id của một cuộc gọi rơi vào ngăn đó.",
        "`make docs` viết trang này.",
        "",
        "Cảnh báo cho người vận hành: [sổ tay](runbooks/README.vi.md); cách thiết lập:",
        "[monitoring.vi.md](monitoring.vi.md).",
    ),
}
_COLUMNS = {"en": "| name | type | labels | meaning | alert |", "vi": "| tên | loại | nhãn | ý nghĩa | cảnh báo |"}
_LABELS = {"en": ("Labels", "| label | values |"), "vi": ("Nhãn", "| nhãn | giá trị |")}


def metrics_page(language: Language) -> bytes:
    """docs/metrics.md, or its Vietnamese form."""
    return ("\n".join(_lines(language)) + "\n").encode()


def _lines(language: Language) -> Iterator[str]:
    suffix = ".vi.md" if language == "vi" else ".md"
    yield from _INTRODUCTION[language]
    yield f"\n{_COLUMNS[language]}\n|---|---|---|---|---|"
    for name, family in catalogue().families.items():
        using = [one for one in alerts().alerts if name in alerts().metrics(one.expr)]
        links = ", ".join(f"[{one.name}](runbooks/{one.runbook}{suffix})" for one in using)
        labels = ", ".join(f"`{label}`" for label in family.labels)
        meaning = family.vi if language == "vi" else family.en
        yield f"| `{exposed_name(name, family)}` | {family.type} | {labels} | {meaning} | {links} |"
    title, columns = _LABELS[language]
    yield f"\n## {title}\n\n{columns}\n|---|---|"
    for label, meaning_of in catalogue().labels.items():
        yield f"| `{label}` | {meaning_of[language]} |"


def _runbook(page: str, language: Language) -> bytes:
    return (runbook(page, language) or "").encode()


def _index(language: Language) -> bytes:
    return runbooks_index(language).encode()


def monitoring_files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Each file's path from the root, and what makes it."""
    languages: tuple[tuple[Language, str], ...] = (("en", ".md"), ("vi", ".vi.md"))
    yield "docker/alerts.yaml", lambda: rules().encode()
    for name in dashboards():
        yield f"docker/grafana/dashboards/{name}.json", partial(grafana, name)
    for language, suffix in languages:
        yield f"docs/metrics{suffix}", partial(metrics_page, language)
        yield f"docs/runbooks/README{suffix}", partial(_index, language)
        for page in alerts().pages():
            yield f"docs/runbooks/{page}{suffix}", partial(_runbook, page, language)
