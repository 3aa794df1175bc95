"""100,000 records in one file: time and memory of its import, against the NDJSON intake's cost of a record.

    python -m bench.files zip 100000          a ZIP of XML, 100 cards in each entry
    python -m bench.files xlsx 100000         the primary workbook
    python -m bench.files ndjson 100000       the same cards as lines: what checking and accepting alone cost

Each runs in a process of its own, on SQLite, and prints records, seconds and the process's peak memory. A third
argument names a file that was written before: writing it takes longer than importing it, and memory of its own.
"""

from __future__ import annotations

import itertools
import resource
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from hocba_hub.bootstrap import importer
from hocba_hub.cli.importing import LocalImport
from hocba_hub.intake.files.forms import Form
from hocba_hub.intake.files.spool import Spool
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS
from hocba_hub.settings import Settings
from hocba_hub.store.access import add_client, client_named
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade

_PER_ENTRY = 100


def cards(number: int) -> Iterator[bytes]:
    """Right cards of primary schools: the one level that every form can hold."""
    primary = (raw for raw in generate(10_000_000, 1) if b'"kind":"primary"' in raw)
    return itertools.islice(primary, number)


def write(form: str, number: int, out: BinaryIO) -> None:
    """Write a file of so many cards."""
    match form:
        case "zip":
            from tests.support.imports import xml_list

            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                source = cards(number)
                for place in range(-(-number // _PER_ENTRY)):
                    archive.writestr(f"{place}.xml", xml_list(list(itertools.islice(source, _PER_ENTRY))))
        case "xlsx":
            WRITERS["workbook-primary"](map(orjson.loads, cards(number)), out)
        case _:
            out.writelines(raw + b"\n" for raw in cards(number))


def measure(form: str, path: Path, folder: Path) -> str:
    """Import a file into an empty store; what it took."""
    settings = Settings(home=folder, free_disk_bytes=0)
    store = Store(settings.store_url)
    upgrade(store)
    with store.write() as connection:
        add_client(connection, "bench", ["*"], now=1)
        client = client_named(connection, "bench")
    made = importer(settings, store, lambda _: None)
    profile = "workbook-primary" if form == "xlsx" else None
    local = LocalImport(store, Spool(settings.files_folder), made, client, profile)
    started = time.monotonic()
    file = local.enter(path, path.name, Form(form))
    steps: list[int] = []
    ended = local.run(file, threading.Event(), lambda so_far: steps.append(so_far.position))
    seconds = time.monotonic() - started
    assert ended is not None
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    store.close()
    return (
        f"{form:7} {path.stat().st_size / 1e6:8.1f} MB  {ended.total:,} records  {ended.accepted:,} accepted  "
        f"{seconds:7.1f} s  {ended.position / seconds:7.0f} records/s  {memory:6.0f} MB  progress moved {len(steps)} x"
    )


def main() -> None:
    """Write a file, then import it in this process."""
    form, number = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"bench.{form}"
        if len(sys.argv) > 3:
            path = Path(sys.argv[3])
        if not path.exists():
            with path.open("wb") as out:
                write(form, number, out)
            print(f"{path.name}: written")
        print(measure(form, path, Path(folder)))


if __name__ == "__main__":
    main()
