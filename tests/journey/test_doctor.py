"""`hocba-hub doctor` on a whole hub of real processes, well and hurt; and on what is set up wrongly."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from hocba_hub.cli.supervision import hub_command
from hocba_hub.monitoring import doctor
from hocba_hub.monitoring.doctor import Found, State
from hocba_hub.store.control import pause
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.rig import Rig

TEXTS = yaml.safe_load((Path(doctor.__file__).with_name("doctor.yaml")).read_bytes())


def seen(environment: Mapping[str, str], *arguments: str) -> tuple[int, list[dict[str, object]]]:
    done = asked(environment, "--json", *arguments)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def asked(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        hub_command("doctor", *arguments), env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def codes(found: list[dict[str, object]], *states: str) -> set[str]:
    return {str(one["code"]) for one in found if one["state"] in states}


def test_a_hub_that_is_well_and_what_is_said_when_it_is_hurt(tmp_path: Path):
    with Rig(tmp_path / "hub", workers=1, jobs=1, importers=1, environment={"HOCBA_FREE_DISK_BYTES": "1"}) as rig:
        (tmp_path / "hub").chmod(0o700)
        status, found = seen(rig.environment)
        assert (status, codes(found, "error", "warning")) == (0, set()), found
        assert {"redis.ok", "store.ok", "schema.ok", "schedule.ok", "encryption.ok"} <= codes(found, "ok")
        tried = {(one["code"], one["facts"]["name"]) for one in found if str(one["code"]).startswith("destination")}  # type: ignore[index]
        assert tried == {("destination.ok", "ministry"), ("destination.ok", "province")}
        assert {one["facts"]["name"] for one in found if one["code"] == "clock.ok"} == {"ministry", "province"}  # type: ignore[index]
        said = asked({**rig.environment, "HOCBA_LANG": "vi"}).stdout
        assert "Mọi thứ đều ổn." in said

        rig.redis.kill()
        with rig.store() as store, store.write() as connection:
            pause(connection, "province", actor="a", reason="to see it", now=1_780_000_000_000)
        wrong = {
            **rig.environment,
            "HOCBA_PROVINCE_CLIENT_SECRET": "wrong",
            "HOCBA_MINISTRY_URL": "http://127.0.0.1:9/",
        }
        status, found = seen(wrong)
        assert status == 1
        assert codes(found, "error") == {"destination.refused", "destination.away"}
        assert codes(found, "warning") == {"redis.away", "destination.paused"}
        for one in found:
            if one["state"] != "ok":
                assert one["do_vi"], one
                assert one["do_en"], one
        said = asked({**wrong, "HOCBA_LANG": "en"}).stdout
        assert "✗ province: does not take the credentials (token-refused)" in said
        assert "    → Check account and password with the destination" in said
        assert "wrong" not in said.replace("something is wrong", "")  # no secret


def test_what_is_set_up_wrongly(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    jobs = tmp_path / "jobs.yaml"
    jobs.write_text("nothing: '* * * * *'", encoding="utf-8")
    store = Store(f"sqlite:///{home / 'hub.db'}")
    upgrade(store, "0028")
    store.close()
    environment = {
        "HOCBA_HOME": str(home), "HOCBA_JOBS_FILE": str(jobs), "HOCBA_REDIS_URL": "redis://redis.example:6379/0",
        "HOCBA_PUBLIC_URL": "http://hub.example.vn", "HOCBA_FREE_DISK_BYTES": str(10**18),
        "HOCBA_PROVINCE_URL": "http://127.0.0.1:9", "HOCBA_PROVINCE_CLIENT_ID": "hub",
        "HOCBA_PROVINCE_CLIENT_SECRET": "x", "HOCBA_MINISTRY_URL": "http://127.0.0.1:9/",
    }  # fmt: skip
    status, found = seen(environment)
    assert status == 1
    assert codes(found, "error") == {
        "settings.wrong", "disk.low", "schema.old", "destination.secret", "destination.away",
    }  # fmt: skip
    assert codes(found, "warning") == {"permissions.open", "encryption.plain", "redis.away"}
    assert {one["facts"]["what"] for one in found if one["code"] == "encryption.plain"} == {"Redis", "API"}  # type: ignore[index]
    away = {
        **environment,
        "HOCBA_DATABASE_URL": "postgresql://hub@127.0.0.1:9/hocba",
        "HOCBA_DESTINATIONS_DIR": "/none",
    }
    status, found = seen(away)
    assert status == 1
    assert {"store.away", "settings.wrong"} <= codes(found, "error")


@pytest.mark.parametrize("code", TEXTS)
def test_each_thing_is_said_in_both_languages_and_what_to_do_where_it_is_not_well(code: str):
    texts = TEXTS[code]
    assert {"vi", "en"} <= texts.keys()
    assert ("do" in texts) is not code.endswith(".ok")
    facts = dict.fromkeys(re.findall(r"\{([a-z]+)\}", json.dumps(texts)), "x")
    one = Found(code, State.WARNING, facts)
    assert one.says("vi") != one.says("en") or code == "versions.ok"
    assert set(re.findall(r"\{([a-z]+)\}", texts["vi"])) == set(re.findall(r"\{([a-z]+)\}", texts["en"]))
    source = Path(doctor.__file__).read_text(encoding="utf-8")
    assert f'"{code}"' in source
