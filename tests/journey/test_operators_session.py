"""The session in docs/operators.md, typed as it stands there: 900 failures of four causes are mended and sent again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hocba_hub.store import failures
from hocba_hub.store.counters import backlog
from tests.support.long_form import LONG
from tests.support.operators_session import CARDS, session

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"en": "operators.md", "vi": "operators.vi.md"}


def steps(page: str) -> list[tuple[str, list[str]]]:
    """Each command of the page's session, or what others do meanwhile (`# …`), with the lines that it shows."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith(("$ ", "# ")):
                found.append((line, []))
            else:
                found[-1][1].append(line)
    return found


def shows(output: str, line: str) -> bool:
    """Whether a line of the output is as the page has it: `…` stands for anything, spaces for any number of them."""
    pattern = ".*".join(r"\s+".join(map(re.escape, part.split())) for part in line.split("…"))
    return any(re.fullmatch(rf"\s*{pattern}\s*", told) for told in output.splitlines())


def test_both_languages_give_the_same_commands():
    assert [command for command, _ in steps(PAGES["en"])] == [command for command, _ in steps(PAGES["vi"])]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("language", PAGES if LONG else ["vi"])
def test_the_session_goes_as_it_is_told(tmp_path: Path, language: str):
    with session(tmp_path) as hub:
        with hub.rig.store() as store, store.read() as connection:
            groups = failures.listed(connection, 0)
        assert sorted((one.destination, one.standing) for one in groups) == [
            ("archive", CARDS), ("ministry", CARDS), ("province", 119), ("province", CARDS - 119),
        ]  # fmt: skip
        for command, lines in steps(PAGES[language]):
            if command.startswith("# "):
                hub.others_mend()
                continue
            output = hub.type(command[2:], language)
            for line in lines:
                assert shows(output, line), f"{command}\nlacks: {line}\n{output}"
        with hub.rig.store() as store, store.read() as connection:
            assert backlog(connection) == 0
            assert {(one.standing, str(one.state)) for one in failures.listed(connection, 0)} == {(0, "resolved")}
