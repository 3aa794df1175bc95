"""Which of the children are started when."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hocba_hub.cli import supervision
from hocba_hub.cli.supervision import Child, Supervisor
from hocba_hub.cli.up import api_answers, children
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.settings import Settings
from hocba_hub.store.engine import Store
from tests.support.api_server import running_api
from tests.support.servers import free_port


def sleeper(name: str, *, waits: bool = False) -> Child:
    return Child(name, ["sleep", "60"], waits=waits)


@pytest.fixture
def supervised() -> Iterator[list[Supervisor]]:
    found: list[Supervisor] = []
    yield found
    for supervisor in found:
        supervisor.stop()


def started(supervisor: Supervisor) -> Sequence[str]:
    return [child.name for child in supervisor.children if child.process is not None]


def test_who_waits_is_started_when_the_others_are_ready_and_stays_so(supervised: list[Supervisor]):
    answers = iter([False, False, True])
    supervisor = Supervisor([sleeper("late", waits=True), sleeper("first")], is_ready=lambda: next(answers))
    supervised.append(supervisor)
    supervisor.start()
    supervisor.watch()
    assert started(supervisor) == ["first"]
    supervisor.watch()
    supervisor.watch()  # nobody asks any more whether the others are ready
    assert started(supervisor) == ["late", "first"]


def test_who_waits_is_started_in_the_end_though_the_others_never_get_ready(
    supervised: list[Supervisor], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(supervision, "_WAITING_SECONDS", 0.0)
    supervisor = Supervisor([sleeper("late", waits=True)], is_ready=lambda: False)
    supervised.append(supervisor)
    supervisor.start()
    assert started(supervisor) == ["late"]


def test_what_takes_cards_in_is_started_before_what_sends_them_on(tmp_path: Path):
    settings = Settings(home=tmp_path, port=free_port(), redis_url=None, database_url=None)
    waiting = {child.name.split("-")[0]: child.waits for child in children(settings)}
    assert waiting == {"redis": False, "api": False, "scheduler": True, "worker": True, "importer": True, "jobs": True}


def test_the_api_is_up_when_it_answers(tmp_path: Path, upgraded_file: Path):
    shutil.copy(upgraded_file, tmp_path / "hub.db")
    with running_api(Store(f"sqlite:///{tmp_path / 'hub.db'}")) as api:
        settings = Settings(port=int(api.url.rpartition(":")[2]))
        assert wait_until(lambda: api_answers(settings), 10)
    assert not api_answers(settings)
