"""The operators' commands, on a real store: what they do, what they print, in which language, and how they fail."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

import pytest
from sqlalchemy import update

from hocba_hub.store import audit
from hocba_hub.store.access import Client, Operator, Role, identify
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import newest_revision
from hocba_hub.store.tables import deliveries
from tests.support.acceptance import submit
from tests.support.command_line import Run, cells
from tests.support.engine import Bench, answered


@pytest.fixture
def failed(store: Store) -> Bench:
    """Two deliveries refused with WRONG, one parked."""
    bench = Bench(store)
    submit(store, ("a", "1"), ("b", "1"), ("c", "1"), now=bench.now, destinations=("province",))
    bench.peer.on_send = answered("WRONG")
    bench.drain(1)
    with store.write() as connection:
        connection.execute(update(deliveries).where(deliveries.c.card_id == "c").values(state="parked", code="timeout"))
    return bench


def test_the_store_is_made_and_its_revision_shown(run: Run, home: Path):
    assert run("database", "revision", code=1).output.startswith("Error")  # the folder is not there yet
    assert newest_revision() in run("database", "upgrade").output
    assert (home / "hub.db").exists()
    assert newest_revision() in run("database", "revision").output


def test_a_store_that_is_not_ready_is_told_with_its_remedy(run: Run, home: Path):
    home.mkdir()
    assert "hocba-hub database upgrade" in run("clients", "list", code=1).output


def test_a_client_is_added_listed_rotated_rescoped_and_revoked(run: Run, store: Store):
    first = run("clients", "add", "vendor", "--school", "S2", "--school", "S1")
    key = first.stdout.strip()
    with store.read() as c:
        assert identify(c, key, now=1) == Client(1, "vendor", frozenset({"S1", "S2"}))
    assert "only this once" in first.stderr
    second = run("clients", "rotate", "vendor").stdout.strip()
    run("clients", "schools", "vendor", "--school", "S3")
    listed = cells(run("clients", "list").stdout)
    assert listed[2][:2] == ["vendor", "S3"]
    ids = [k.split("_")[1] for k in (key, second)]
    assert set(listed[2][-1].split(", ")) == set(ids)
    run("clients", "revoke", "vendor", "--key", ids[0])
    with store.read() as c:
        assert identify(c, key, now=1) is None
        assert identify(c, second, now=1) is not None
    run("clients", "revoke", "vendor")
    with store.read() as c:
        assert identify(c, second, now=1) is None
        acts = [(e.action, e.detail["name"], e.actor) for e in reversed(audit.entries(c))]
        told = str([e.detail for e in audit.entries(c)])
    assert acts == [
        (action, "vendor", f"os:{getpass.getuser()}")
        for action in ("client.add", "client.rotate", "client.schools", "client.revoke", "client.revoke")
    ]
    assert key.rpartition("_")[2] not in told


def test_credentials_are_made_listed_rotated_and_revoked(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run("clients", "add", "vendor", "--school", "S1")
    credentials = ("clients", "credentials")
    folder = tmp_path / "made"
    assert "stands for vendor" in run(*credentials, "certificate", "vendor", "--make", str(folder)).output
    (certificate,) = folder.glob("*.crt.pem")
    (key,) = folder.glob("*.key.pem")
    assert key.stat().st_mode & 0o777 == 0o600
    first = certificate.name.partition(".")[0]
    assert (
        "stands for a client already"
        in run(*credentials, "certificate", "vendor", "--file", str(certificate), code=1).output
    )
    assert "not switched on" in run(*credentials, "digest-password", "vendor", code=1).output
    monkeypatch.setenv("HOCBA_SOAP_DIGEST_SECRET", "s" * 40)
    password = run(*credentials, "digest-password", "vendor")
    assert re.fullmatch("hbd_[0-9a-f]{64}", password.stdout.strip())
    run(*credentials, "certificate", "vendor", "--identity", "subject:CN=vendor", "--replaces", first)
    listed = cells(run(*credentials, "list", "vendor").stdout)
    assert [row[1] for row in listed[2:]] == ["key", "certificate", "certificate", "digest password"]
    assert password.stdout.strip() not in run(*credentials, "list", "vendor").output
    run(*credentials, "revoke", "vendor", first)
    assert "no such key, certificate" in run(*credentials, "revoke", "vendor", first, code=1).output
    assert (
        "no certificate that is in force"
        in run(*credentials, "certificate", "vendor", "--identity", "x", code=1).output
    )
    run(*credentials, "certificate", "vendor", code=2)


def test_many_schools_are_listed_short(run: Run, store: Store):
    run("clients", "add", "vendor", *(word for n in range(9) for word in ("--school", f"S{n}")))
    assert "S0, S1, S2 … (9 schools)" in run("clients", "list").stdout


def test_an_operator_is_added_listed_and_revoked(run: Run, store: Store):
    key = run("operators", "add", "lan", "--role", "operator").stdout.strip()
    with store.read() as c:
        assert identify(c, key, now=1) == Operator(1, "lan", Role.OPERATOR)
    assert cells(run("operators", "list").stdout)[2][:2] == ["lan", "operator"]
    run("operators", "rotate", "lan")
    run("operators", "revoke", "lan")
    with store.read() as c:
        assert identify(c, key, now=1) is None
    run("operators", "add", "minh", "--role", "emperor", code=2)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("clients", "revoke", "nobody"), "Nobody of that name"),
        (("clients", "rotate", "nobody"), "Nobody of that name"),
        (("clients", "add", "taken", "--school", "S1"), "is taken"),
        (("clients", "add", "new", "--school", ""), "One school at least"),
        (("clients", "revoke", "taken", "--key", "000000000000"), "no such key"),
        (("operators", "revoke", "taken"), "Nobody of that name"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, store: Store, arguments: tuple[str, ...], text: str):
    run("clients", "add", "taken", "--school", "S1")
    assert text in run(*arguments, code=1).stderr


def test_failures_are_shown_by_group_and_one_by_one(run: Run, failed: Bench):
    groups = cells(run("failures").stdout)
    assert [row[:4] for row in groups[2:]] == [
        ["province", "refused", "WRONG", "2"],
        ["province", "parked", "timeout", "1"],
        ["Total", "3"],
    ]
    assert cells(run("failures", "--code", "WRONG").stdout)[-1] == ["Total", "2"]
    assert cells(run("failures", "--state", "parked", "--destination", "province").stdout)[-1] == ["Total", "1"]
    assert "nothing" in run("failures", "--destination", "ministry").stdout
    listed = cells(run("failures", "--list").stdout)
    assert sorted(row[4] for row in listed[2:]) == ["2025-2026/a", "2025-2026/b", "2025-2026/c"]
    assert len(cells(run("failures", "--list", "--limit", "1").stdout)) == 3


@pytest.mark.parametrize(
    ("option", "value", "count"),
    [
        ("--since", "1970-01-01T00:16:40+00:00", 3),
        ("--since", "1970-01-01T08:00:00+07:00", 0),
        ("--until", "1970-01-01T00:00:00+00:00", 0),
        ("--until", "2d", 3),
        ("--since", "90m", 0),
        ("--since", "2026-05-31", 0),
    ],
)
def test_times_are_dates_or_ages(run: Run, failed: Bench, option: str, value: str, count: int):
    output = run("failures", option, value).stdout
    assert ("Total" in output) == (count > 0)


def test_a_time_that_is_none_is_told(run: Run, store: Store):
    for value in ("yesterday", "6y", "2026-13-01", "99999999d"):
        assert "Not a time" in run("failures", "--since", value, code=2).stderr


def test_destinations_are_listed_paused_and_resumed(run: Run, failed: Bench):
    submit(failed.store, ("d", "1"), now=failed.now, destinations=("province",))
    run("destinations", "pause", "province", "--reason", "maintenance there")
    listed = {row[0]: row for row in cells(run("destinations", "list").stdout)[2:]}
    assert listed["ministry"][1] == "open"
    assert "maintenance there" in listed["province"][1]
    assert "queued 1" in " ".join(listed["province"])
    run("destinations", "resume", "province", "--reason", "it is over")
    assert cells(run("destinations", "list").stdout)[3][1] == "open"
    wrong = run("destinations", "pause", "nowhere", "--reason", "maintenance", code=2)
    assert "known: ministry, province" in wrong.stderr


def test_a_destination_file_is_checked(run: Run, store: Store, tmp_path: Path):
    shipped = Path(__file__).parents[3] / "hocba_hub" / "adapters" / "destinations" / "province.yaml"
    assert "province can be used" in run("destinations", "check", str(shipped)).stdout
    for name, content, text in (
        ("a.yaml", "name: [", "not readable as YAML"),
        ("b.yaml", "name: x\nadress: y", "adress"),
        ("c.yaml", shipped.read_text().replace("adapter: rest", "adapter: fax"), "no adapter fax"),
        ("d.yaml", b"\xff\xfe", "not UTF-8"),
    ):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert text in run("destinations", "check", str(file), code=1).stderr


def test_wrong_settings_are_named(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOCBA_DATABASE_POOL", "many")
    assert "HOCBA_DATABASE_POOL" in run("clients", "list", code=1).stderr


def test_the_language_is_that_of_the_terminal(run: Run, failed: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOCBA_LANG", "vi")
    assert "Trạng thái" in run("failures").stdout
