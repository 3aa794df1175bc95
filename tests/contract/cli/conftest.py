"""The operators' commands on a store of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hocba_hub.cli import main
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.command_line import Run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOCBA_DATABASE_URL", "HOCBA_SETTINGS_FILE", "HOCBA_DESTINATIONS_DIR", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOCBA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOCBA_LANG", "en")
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    def run(*arguments: str, code: int = 0, typed: str | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=typed)
        assert result.exit_code == code, (result.output, result.exception)
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    home.mkdir()
    opened = Store(f"sqlite:///{home / 'hub.db'}")
    upgrade(opened)
    yield opened
    opened.close()
