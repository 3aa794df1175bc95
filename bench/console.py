"""The console over a province in PostgreSQL: how long the server takes for each page, and how large the page is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import orjson
from sqlalchemy import text

from bench import story
from bench.accept import postgres
from bench.figures import Figure, Target
from hocba_hub.model.clock import system_clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.access import Role, add_client
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.bodies import pack
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.console import Person, add_person
from tests.support.rig import Rig

MOST_MS, MOST_KB = 200, 200
_TIMES = 11

_STATEMENTS = (
    # 500,000 of the 1.2 million deliveries are refused, for 200 causes; each in its group
    """UPDATE deliveries SET state = 'refused', code = 'CODE_' || (id % 200), failure_group_id = 1 + id % 200,
       settled_at = id WHERE id % 12 < 5""",
    """INSERT INTO failure_groups (fingerprint, essence, destination, stage, error_class, code, detail, mapping, times,
       first_at, last_at, state, revision)
       SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), decode(lpad(to_hex(n), 64, '0'), 'hex'), 'province', 'send',
       'refused', 'CODE_' || n, 'said so', 'ndc-primary 1.0.0', 2500, 1, :now - n * 60000, 'open', 1
       FROM generate_series(1, 200) n""",
    """INSERT INTO failure_counts (group_id, hour_at, school_code, client_id, times)
       SELECT g, (:now / 3600000 - h) * 3600000, 'S' || ((g * 7 + s) % 740), 1, 5
       FROM generate_series(1, 200) g, generate_series(0, 167) h, generate_series(0, 4) s""",
    """INSERT INTO open_findings (school_code, school_year, card_id, client_id, since, last_at, times, submission_id,
       position, findings, matter)
       SELECT school_code, school_year, card_id, 1, 1, 1, 1, '', 0, :findings, 'record' FROM report_cards
       LIMIT 500000""",
    """INSERT INTO schools SELECT 'S' || n, 'Trường số ' || n, 'C' || n % 104, 'Xã ' || n % 104, 's' || n ||
       ' truong so ' || n, :now FROM generate_series(0, 739) n""",
    """UPDATE report_cards SET commune_code = 'C' || (substr(school_code, 2)::int % 104), circular = 'TT22/2021',
       grade = 7""",
    "ANALYZE",
)
PAGES = {
    "home": "",
    "failure groups": "/failure-groups",
    "a failure group": "/failure-groups/7",
    "500,000 failed deliveries": "/deliveries",
    "… of one destination": "/deliveries?destination=province",
    "… of one code": "/deliveries?code=CODE_7",
    "… of one school": "/deliveries?school=S7",
    "replays": "/replays",
    "a card's story": f"/cards/2025-2026/card-{story.SOME}",
    "a card found": f"/find?q=card-{story.SOME}",
    "schools found by name": "/find?q=truong+so+7",
    "nothing found": "/find?q=khong-co-dau",
    "destinations": "/destinations",
    "a destination": "/destinations/province",
    "submissions": "/submissions",
    "a submission": f"/submissions/{story.submission(77)}",
    "files": "/files",
    "500,000 findings by commune": "/findings",
    "… of a commune": "/findings?commune=C7",
    "… of a school": "/findings?school=S7",
    "deadlines, 104 communes": "/deadlines",
    "… by school": "/deadlines?by=school",
    "mappings": "/mappings",
    "a mapping": "/mappings/vendor-flat-secondary",
    "code tables": "/code-tables",
    "a code table": "/code-tables/communes",
    "unknown codes": "/unmapped-codes",
    "jobs": "/jobs",
    "reconciliation": "/reconciliation/province",
    "clients": "/clients",
    "operators": "/operators",
    "audit trail": "/audit",
}


def measure(folder: Path) -> Iterator[Figure]:
    """Each page by its address, and the last of the pages that one can turn to."""
    with postgres() as server:
        _fill(server.url)
        with Rig(folder / "hub", server.url, workers=1) as rig:
            person = Person(rig.url)
            assert person.sign_in("bench").status_code == 303
            for what, page in PAGES.items():
                yield from _timed(person, what, f"/console{page}")
            far = person.get("/console/deliveries")
            for _ in range(20):
                far = person.get(far.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&"))
            yield from _timed(person, "failed deliveries, the 21st page", str(far.url).removeprefix(rig.url))


def _timed(person: Person, what: str, path: str) -> Iterator[Figure]:
    took: list[float] = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        answer: httpx.Response = person.get(path)
        took.append(1000 * (time.perf_counter() - began))
        if answer.status_code == 303:
            path = answer.headers["location"]
            answer = person.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-400:])
    size = len(answer.content) / 1000
    assert size < MOST_KB, (what, size)
    yield Figure(what, median(took), "ms", Target(MOST_MS, at_most=True), f"{size:.0f} KB, worst {max(took):.0f} ms")


def _fill(url: str) -> None:
    store, now = Store(url), system_clock()
    upgrade(store)
    with store.write() as connection:
        add_client(connection, "vendor", ["*"], now=now)
    story.fill(store)
    found = {
        "code": "schema.missing", "severity": "error", "pointer": "/pupil/full_name", "expected": "text",
        "value_class": "nothing", "message_vi": "Thiếu họ tên.", "message_en": "The name is missing.",
    }  # fmt: skip
    facts = {"now": now, "findings": pack(orjson.dumps([found]))}
    for statement in _STATEMENTS:
        with store.write() as connection:
            needed = {name: value for name, value in facts.items() if f":{name}" in statement}
            connection.execute(text(statement), needed)
    take_snapshot(store, "2025-2026", [DestinationName("ministry"), DestinationName("province")], now)
    add_person(store, "bench", Role.ADMINISTRATOR, now)
    store.close()
