"""Files: the time and memory of an import, against the import of the same cards as lines of JSON.

    python -m bench.files xlsx 100000 [FILE]     one form, any number of cards, in this process

Each import runs in a process of its own, on SQLite; a FILE that was written before is imported as it is, since writing
one takes longer than importing it, and memory of its own.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from bench.figures import Figure, at_least, at_most, rate
from hocba_hub.bootstrap import importer
from hocba_hub.cli.importing import LocalImport
from hocba_hub.intake.files.forms import Form
from hocba_hub.intake.files.spool import Spool
from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS
from hocba_hub.settings import Settings
from hocba_hub.store.access import add_client, client_named
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade

CARDS = 20_000
LINES = 2_000
"""Least rate of lines of JSON at the design's pace."""
OF_LINES = {"zip": 0.3, "xlsx": 0.2}
"""Least rate of a form, of that of lines."""
MEMORY = 1.6
"""Most memory of a form, of that of lines: none is read whole."""
_PER_ENTRY = 100


def cards(number: int) -> Iterator[bytes]:
    """Right cards of primary schools: the one level that every form can hold."""
    primary = (raw for raw in generate(10_000_000, 1) if b'"kind":"primary"' in raw)
    return itertools.islice(primary, number)


def write(form: str, number: int, out: BinaryIO) -> None:
    """Write a file of so many cards: lines, the primary workbook, or a ZIP of XML files of 100 cards."""
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


def imported(form: str, path: Path, folder: Path) -> dict[str, float]:
    """Import a file into an empty store; `records`, `seconds`, and the process's peak memory in `megabytes`."""
    settings = Settings(home=folder, free_disk_bytes=0)
    store = Store(settings.store_url)
    upgrade(store)
    with store.write() as connection:
        add_client(connection, "bench", ["*"], now=1)
        client = client_named(connection, "bench")
    made = importer(settings, store, Doorbell(None))
    profile = "workbook-primary" if form == "xlsx" else None
    local = LocalImport(store, Spool(settings.files_folder), made, client, profile)
    started = time.monotonic()
    file = local.enter(path, path.name, Form(form))
    ended = local.run(file, threading.Event(), lambda _: None)
    seconds = time.monotonic() - started
    assert ended is not None
    assert ended.accepted == ended.total, f"{ended.accepted} of {ended.total} records were accepted"
    store.close()
    return {"records": ended.accepted, "seconds": seconds, "megabytes": peak_megabytes()}


def peak_megabytes() -> float:
    """The process's own peak: `ru_maxrss` begins with that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = re.findall(r"VmHWM:\s+([0-9]+) kB", status)
    return int(peak) / 1024


def measure(folder: Path) -> list[Figure]:
    """Records a second and memory of each form."""
    found = {form: _alone(form, folder) for form in ("ndjson", "zip", "xlsx")}
    lines = found["ndjson"]
    what = f"import of {CARDS:,} records, SQLite"
    by_lines = rate(f"{what}: lines of JSON", lines["records"] / lines["seconds"], LINES)
    of_lines = Figure("memory of lines", lines["megabytes"], "MB")
    figures = [by_lines, Figure(f"memory of the {what}: lines of JSON", lines["megabytes"], "MB")]
    for form, name in (("zip", "ZIP of XML, 100 cards in each"), ("xlsx", "workbook")):
        per_second, memory = found[form]["records"] / found[form]["seconds"], found[form]["megabytes"]
        figures += [
            Figure(f"{what}: {name}", per_second, "/s", at_least(OF_LINES[form], by_lines)),
            Figure(f"memory of the {what}: {name}", memory, "MB", at_most(MEMORY, of_lines)),
        ]
    return figures


def _alone(form: str, folder: Path) -> dict[str, float]:
    path = folder / f"bench.{form}"
    with path.open("wb") as out:
        write(form, CARDS, out)
    command = [sys.executable, "-m", "bench.files", form, str(CARDS), str(path)]
    done = subprocess.run(command, check=True, capture_output=True)
    figures: dict[str, float] = orjson.loads(done.stdout.splitlines()[-1])
    assert figures["records"] == CARDS
    return figures


def main() -> None:
    """Write a file unless one is named, then import it in this process."""
    form, number = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(folder) / f"bench.{form}"
        if not path.exists():
            with path.open("wb") as out:
                write(form, number, out)
        print(orjson.dumps(imported(form, path, Path(folder))).decode())


if __name__ == "__main__":
    main()
