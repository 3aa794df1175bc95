"""What the commands say of a destination that does not fit, and where a file's own paths count from."""

from __future__ import annotations

from pathlib import Path

import pytest

from hocba_hub.adapters.contracts import MINISTRY_WSDL
from tests.support.command_line import Run, cells
from tests.support.destination_files import LIBRARY, reasons, written
from tests.support.foreign_services import FOREIGN


def test_relative_paths_count_from_the_file_and_its_mappings_are_seen(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "destinations"
    written(
        folder,
        "ministry",
        options={"wsdl": "contracts/own.wsdl"},
        mappings={"card": "own-record", "recall": "ministry-recall"},
    )
    (folder / "contracts").mkdir()
    for path in MINISTRY_WSDL.parent.glob("ministry.*"):
        name = "own.wsdl" if path.suffix == ".wsdl" else path.name
        (folder / "contracts" / name).write_bytes(path.read_bytes())
    assert "no mapping own-record" in run("destinations", "check", str(folder / "ministry.yaml"), code=1).output
    (folder / "mappings").mkdir()
    shipped = (LIBRARY / "ministry_record.yaml").read_text(encoding="utf-8")
    (folder / "mappings" / "own_record.yaml").write_text(
        shipped.replace("mapping: ministry-record", "mapping: own-record")
    )
    monkeypatch.chdir(tmp_path.parent)
    run("destinations", "check", str(folder / "ministry.yaml"))
    assert reasons(folder) == {}


def test_what_a_contract_has_is_listed_as_places(run: Run, tmp_path: Path):
    rows = cells(run("destinations", "contract", str(FOREIGN / "contracts" / "exchange.wsdl")).output)
    listed = {(row[1], row[2], row[3]): tuple(row[4:]) for row in rows if len(row) > 3}
    assert listed["GuiGoi", "request", "NoiDung/HocBa"] == ("1..n",)
    assert listed["GuiGoi", "request", "NoiDung/HocBa/Diem"] == ("string", "0..n")
    assert listed["GuiGoi", "request", "NoiDung/HocBa/Diem/@mon"] == ("string", "0..1")
    assert listed["HoiGoi", "answer", "BangKe/Dong/TrangThai/@ma"] == ("string", "1")
    text = (FOREIGN / "contracts" / "registry.wsdl").read_text(encoding="utf-8")
    (tmp_path / "encoded.wsdl").write_text(text.replace('use="literal"', 'use="encoded"'), encoding="utf-8")
    assert "Submit is of the use encoded" in run("destinations", "contract", str(tmp_path / "encoded.wsdl")).output
    (tmp_path / "none.wsdl").write_text("none", encoding="utf-8")
    assert "not usable as WSDL" in run("destinations", "contract", str(tmp_path / "none.wsdl"), code=1).output


@pytest.mark.usefixtures("store")
def test_the_commands_say_why(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "wrong"
    written(folder, "ministry", options={"binding": "Nowhere"})
    monkeypatch.setenv("HOCBA_DESTINATIONS_DIR", str(folder))
    assert "no binding Nowhere" in cells(run("destinations", "list").output)[2][1]
    assert "no binding Nowhere" in run("failures").output
