"""Versions of mappings in the store: drafts, activation, rollback, on both engines."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from hocba_hub.model.activation import ActivationScope
from hocba_hub.store import audit
from hocba_hub.store import mappings as stored
from hocba_hub.store.access import add_client
from hocba_hub.store.engine import Store
from hocba_hub.store.mappings import ConfigurationError
from hocba_hub.store.revision import revision

ANYBODY = ActivationScope()
WHO = {"actor": "operator:lan", "reason": "a new vendor", "now": 1_000}


def add(store: Store, version: str, text: bytes = b"one") -> None:
    with store.write() as c:
        stored.add_version(c, "m", version, text, **WHO)


def activate(store: Store, version: str, text: bytes = b"one", scope: ActivationScope = ANYBODY, **more: str) -> int:
    with store.write() as c:
        return stored.activate(c, "m", version, text, scope, **WHO, **more).id


def in_force(store: Store) -> list[str]:
    with store.read() as c:
        return [one.version for one in stored.activations(c, "m")]


def state(store: Store) -> str:
    with store.read() as c:
        return stored.state_of(stored.stored_versions(c, "m"), stored.activations(c, "m"))


def test_a_draft_may_change_until_it_was_activated(store: Store):
    add(store, "1.0.0", b"one")
    add(store, "1.0.0", b"two")
    with store.read() as c:
        assert stored.document_of(c, "m", "1.0.0") == b"two"
    activate(store, "1.0.0", b"two")
    with store.write() as c:
        stored.deactivate(c, "m", **WHO)
    with pytest.raises(ConfigurationError) as refused:
        add(store, "1.0.0", b"three")
    assert refused.value.code == "mapping.version-taken"
    add(store, "1.0.0", b"two")  # the same text is no change
    with store.read() as c:
        assert [entry.action for entry in audit.entries(c)] == [
            "mapping.deactivate", "mapping.activate", "mapping.draft", "mapping.draft",
        ]  # fmt: skip


def test_an_activation_keeps_the_text_and_is_told_and_can_be_taken_back(store: Store):
    with store.write() as c:
        add_client(c, "north", ["*"], now=1)
    first = activate(store, "1.0.0")
    scope = ActivationScope("north", "2025-2026", date(2026, 1, 1), date(2026, 6, 30))
    second = activate(store, "1.1.0", b"two", scope)
    with store.read() as c:
        assert stored.document_of(c, "m", "1.1.0") == b"two"
        assert [(one.id, one.scope) for one in stored.activations(c)] == [(first, ActivationScope()), (second, scope)]
        told = audit.entries(c)[0]
    assert (told.actor, told.reason, told.detail["valid_to"]) == ("operator:lan", "a new vendor", "2026-06-30")
    with store.write() as c:
        assert stored.deactivate(c, "m", **WHO).id == second
    assert in_force(store) == ["1.0.0"]
    with store.write() as c:
        stored.deactivate(c, "m", first, **WHO)
    with pytest.raises(ConfigurationError) as refused, store.write() as c:
        stored.deactivate(c, "m", first, **WHO)
    assert (refused.value.code, in_force(store)) == ("not-found", [])


@pytest.mark.parametrize(
    "scope", [ActivationScope(client="nobody"), ActivationScope(valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1))]
)
def test_a_scope_that_nothing_can_be_in_is_refused(store: Store, scope: ActivationScope):
    with pytest.raises(ConfigurationError) as refused:
        activate(store, "1.0.0", scope=scope)
    assert (refused.value.code, in_force(store)) == ("activation.scope", [])


def test_an_act_on_a_state_that_has_changed_is_refused(store: Store):
    seen = state(store)
    activate(store, "1.0.0", expected=seen)
    with pytest.raises(ConfigurationError) as refused:
        activate(store, "1.1.0", expected=seen)
    assert refused.value.code == "precondition.failed"
    with pytest.raises(ConfigurationError), store.write() as c:
        stored.deactivate(c, "m", expected=seen, **WHO)
    assert in_force(store) == ["1.0.0"]
    add(store, "2.0.0")
    assert state(store) != seen


def test_a_text_that_differs_from_the_stored_one_is_not_activated(store: Store):
    add(store, "1.0.0", b"one")
    with pytest.raises(ConfigurationError) as refused:
        activate(store, "1.0.0", b"another")
    assert refused.value.code == "mapping.version-taken"


def test_of_two_people_who_saw_the_same_state_only_one_acts(store: Store):
    seen, refused = state(store), []

    def act(version: str) -> None:
        try:
            activate(store, version, expected=seen)
        except ConfigurationError as error:
            refused.append(error.code)

    people = [threading.Thread(target=act, args=(f"1.{n}.0",)) for n in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert refused == ["precondition.failed"] * 3
    assert len(in_force(store)) == 1


def test_the_revision_moves_with_every_change_and_not_without(store: Store):
    seen = [0]
    for change in (lambda: add(store, "1.0.0"), lambda: activate(store, "1.0.0")):
        change()
        with store.read() as c:
            seen.append(revision(c))
    with pytest.raises(ConfigurationError):
        activate(store, "1.0.0", expected="another")
    with store.read() as c:
        assert [*seen, revision(c)] == [0, 1, 2, 2]
