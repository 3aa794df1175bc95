"""The hub of the session in docs/operators.md: 900 deliveries to three destinations that fail for four causes."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import yaml
from sqlalchemy import func, select

from hocba_hub.cli.supervision import Child, hub_command
from hocba_hub.model.keys import DestinationName
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import control
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.rig import PACKAGED, Rig
from tests.support.servers import free_port

CARDS = 300
"""Each goes to three destinations."""
LIBRARY = PACKAGED.parents[1] / "mappings" / "library"
_SCHOOLS = 2
"""That the province does not know."""


class Session:
    """A running hub, and its command line as an operator types it."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig, self.folder = rig, folder

    def others_mend(self) -> None:
        """What happens outside the hub: the people of the province and of the Ministry have done their part."""
        self.rig.set_faults({"seed": 1, "faults": []})

    def type(self, command: str, language: str = "en") -> str:
        """What a command of the session writes; it must succeed."""
        words = shlex.split(command)
        assert words[0] == "hocba-hub"
        environment = {**os.environ, **self.rig.environment, "HOCBA_LANG": language}
        done = subprocess.run(
            hub_command(*words[1:]), cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


@contextmanager
def session(folder: Path, *, importers: int = 0) -> Iterator[Session]:
    """The hub of the session, its 900 failures planted; its folder holds the mended mapping `archive-primary.yaml`."""
    ports = free_port(), free_port()
    environment = {
        "HOCBA_ARCHIVE_URL": f"http://127.0.0.1:{ports[0]}",
        "HOCBA_ARCHIVE_CLIENT_ID": "hub",
        "HOCBA_ARCHIVE_CLIENT_SECRET": "sandbox-secret",
    }
    rig = Rig(folder / "hub", jobs=1, importers=importers, environment=environment)
    _third_destination(folder / "hub" / "destinations", folder)
    archive = Child(
        "archive", hub_command("sandbox", "--port-province", str(ports[0]), "--port-ministry", str(ports[1])),
        rig.environment, is_quiet=True,
    )  # fmt: skip
    archive.start()
    try:
        with rig:
            _plant(rig)
            yield Session(rig, folder)
    finally:
        if archive.process is not None:
            archive.process.terminate()
            archive.process.wait(10)


def _third_destination(destinations: Path, folder: Path) -> None:
    """The archive: as the province, but for its name, its address and a mapping that knows too few codes."""
    text = (PACKAGED / "province.yaml").read_text(encoding="utf-8")
    text = text.replace("HOCBA_PROVINCE", "HOCBA_ARCHIVE").replace("ndc-primary", "archive-primary")
    document = yaml.safe_load(text) | {"name": "archive", "title": {"vi": "Kho lưu trữ", "en": "The archive"}}
    (destinations / "archive.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    shipped = (LIBRARY / "ndc_primary.yaml").read_text(encoding="utf-8")
    mended = shipped.partition("\nexamples:")[0].replace("mapping: ndc-primary", "mapping: archive-primary")
    of_a_few = mended.replace("tables:\n", 'tables:\n  dan-toc: {"99": "99"}\n').replace(
        "dantoc: {from: pupil/ethnic_code, required: true}",
        "dantoc: {from: pupil/ethnic_code, table: dan-toc, required: true}",
    )
    (destinations / "mappings").mkdir()
    (destinations / "mappings" / "archive_primary.yaml").write_text(of_a_few, encoding="utf-8")
    (folder / "archive-primary.yaml").write_text(mended.replace("version: 1.0.0", "version: 1.0.1"), encoding="utf-8")


def _plant(rig: Rig) -> None:
    """One destination after the other, so that the failure groups get the same ids each time."""
    cards = [raw for raw in generate(4 * CARDS, 3, schools=12) if orjson.loads(raw)["kind"] == "primary"][:CARDS]
    unknown = sorted({orjson.loads(raw)["school"]["code"] for raw in cards})[:_SCHOOLS]
    rig.set_faults(
        {
            "seed": 1,
            "faults": [
                {"name": "record-refused", "code": code, "schools": schools, "simulators": [name]}
                for name, code, schools in (
                    ("province", "SCHOOL_UNKNOWN", unknown), ("province", "CARD_LOCKED", []),
                    ("ministry", "SCHOOL_UNKNOWN", []),
                )
            ],
        }
    )  # fmt: skip
    names = ("province", "ministry", "archive")
    with rig.store() as store:
        for name in names:
            _switch(store, name, paused=True)
        with httpx.Client(headers={"Authorization": f"Bearer {rig.client_key()}"}, timeout=60) as vendor:
            for first in range(0, CARDS, 100):
                body = b"\n".join(cards[first : first + 100])
                answer = vendor.post(
                    f"{rig.url}/v1/report-cards", content=body, headers={"Content-Type": "application/x-ndjson"}
                )
                assert answer.json()["accepted"] == 100, answer.text
        for name in names:
            _switch(store, name, paused=False)
            assert wait_until(lambda name=name: _failed(store, name) == CARDS, 60), name


def _switch(store: Store, name: str, *, paused: bool) -> None:
    change = control.pause if paused else control.resume
    with store.write() as connection:
        change(connection, DestinationName(name), actor="os:setup", reason="setting up", now=0)


def _failed(store: Store, name: str) -> int:
    query = select(func.count()).where(deliveries.c.destination == name, deliveries.c.failure_group_id.is_not(None))
    with store.read() as connection:
        return int(connection.execute(query).scalar_one())
