"""What states, kinds and outcomes are called: each has a name, and each name is asked for by somebody."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from hocba_hub.model.deadlines import Timing
from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.failures import GroupState
from hocba_hub.model.findings import Severity
from hocba_hub.model.keys import Event
from hocba_hub.model.reconciliation import Difference
from hocba_hub.model.replays import ItemOutcome, ReplayMeaning, ReplayState
from hocba_hub.model.terms import TERMS
from hocba_hub.model.windows import Level
from hocba_hub.store.access import Role
from hocba_hub.store.credentials import CredentialKind
from hocba_hub.store.files import FileState
from hocba_hub.store.story import StoryKind

PACKAGE = Path(__file__).parents[3] / "hocba_hub"
NAMED: dict[str, type[StrEnum]] = {
    "difference": Difference, "event": Event, "file": FileState, "group": GroupState, "kind": CredentialKind,
    "level": Level, "meaning": Meaning, "replay.meaning": ReplayMeaning, "replay.outcome": ItemOutcome,
    "replay.state": ReplayState, "role": Role, "severity": Severity, "state": DeliveryState, "timing": Timing,
    "trace.kind": StoryKind,
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMED)
def test_each_of_a_kind_has_a_name_in_both_languages(kind: str):
    for one in NAMED[kind]:
        assert set(TERMS[f"{kind}.{one}"]) == {"vi", "en"}


def test_every_name_is_asked_for():
    source = "".join(
        path.read_text(encoding="utf-8") for path in (*PACKAGE.rglob("*.html"), *(PACKAGE / "cli").glob("*.py"))
    )
    asked = set(re.findall(r"""(?:term|badge)\("([a-z.-]+)",|text\(f"([a-z.-]+)\.\{""", source))
    kinds = {name for pair in asked for name in pair if name}
    assert {name for name in TERMS if name.rpartition(".")[0] not in kinds} == set()
