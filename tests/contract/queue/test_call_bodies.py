"""Requests and answers are kept for a while, and shown of one card alone, with everything personal masked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import func, select

from hocba_hub.api.call_bodies import ShownBodies, look_at_bodies
from hocba_hub.api.operator import story as router
from hocba_hub.model.clock import DAY_MS
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.queue.jobs.retention import Retention
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.settings import Settings
from hocba_hub.store import audit, story
from hocba_hub.store.access import Role, add_operator
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import attempt_bodies
from tests.support.api_server import running_api
from tests.support.delivering_hub import HOUR, DeliveringHub
from tests.support.jobs import run_once
from tests.support.sandbox_server import running_sandbox

NOW = 1_780_000_000_000


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox(answer_seconds=5) as handle:
        yield handle


@pytest.fixture
def hub(store: Store, sandbox) -> Iterator[DeliveringHub]:
    sandbox.play()
    with ExitStack() as stack:
        made = DeliveringHub(store, sandbox, stack, now=NOW)
        made.engine = replace(made.engine, keeps_bodies=True)
        yield made


def delivered(hub: DeliveringHub, number: int) -> list[dict]:
    cards = list(generate(number, 21))
    hub.accept(cards)
    hub.run_until(hub.now + HOUR)
    return [orjson.loads(card) for card in cards]


def looked_at(hub: DeliveringHub, card: dict, kind: str) -> dict[str, ShownBodies]:
    """By destination, the bodies of the last call of a kind about a card."""
    key = CardKey(SchoolYear(card["school_year"]), CardId(card["card_id"]))
    found: dict[str, ShownBodies] = {}
    with hub.store.write() as connection:
        told = story.story(connection, key)
        assert told is not None
        for event in told.events:
            if event.facts.get("call") == kind:
                shown = look_at_bodies(
                    connection, hub.destinations, key, event.facts["attempt"], actor="os:lan", now=hub.now
                )
                assert shown is not None
                found[event.place] = shown
    return found


def test_of_a_batch_only_this_card_is_shown_and_nothing_of_a_person(hub: DeliveringHub):
    cards = delivered(hub, 20)
    card, others = cards[7], [one for one in cards if one is not cards[7]]
    found = looked_at(hub, card, "send")
    assert set(found) == {"province", "ministry"}
    own = f"{card['school_year']}/{card['card_id']}"
    for shown in found.values():
        assert shown.request is not None
        assert own in shown.request
        assert "•••" in shown.request
        whole = shown.request + (shown.response or "")
        pupil, signers = card["pupil"], card["signers"]
        people = [pupil["full_name"], pupil.get("personal_number"), pupil["pupil_code"], pupil["birth"]]
        people += [signers["homeroom"]["full_name"], signers["manager"]["full_name"]]
        assert [one for one in people if one and one in whole] == []
        assert [one["card_id"] for one in others if one["card_id"] in whole] == []
        assert "sandbox-password" not in whole
    assert card["school"]["code"] in found["province"].request
    assert '"ma": "' in (found["province"].response or ""), "codes are shown"


def test_the_look_is_in_the_audit_trail(hub: DeliveringHub):
    [card] = delivered(hub, 1)
    looked_at(hub, card, "send")
    with hub.store.read() as connection:
        entries = [one for one in audit.entries(connection) if one.action == "view-bodies"]
    assert {one.actor for one in entries} == {"os:lan"}
    assert len(entries) == 2
    assert entries[0].detail["card"] == f"{card['school_year']}/{card['card_id']}"
    assert card["pupil"]["full_name"] not in str(entries)


def test_it_is_revealed_for_a_reason_to_who_has_the_right(hub: DeliveringHub, sandbox):
    card, other = delivered(hub, 2)
    key = CardKey(SchoolYear(card["school_year"]), CardId(card["card_id"]))
    with hub.store.read() as connection:
        told = story.story(connection, key)
    assert told is not None
    attempt = next(one.facts["attempt"] for one in told.events if one.place == "province" and "call" in one.facts)
    with running_api(hub.store, routers=(router.router,)) as api:
        with api.store.write() as connection:
            lan = add_operator(connection, "lan", Role.OPERATOR, now=1, sees_bodies=True).key
        minh, viewer = api.operator_key(Role.OPERATOR, "minh"), api.operator_key(Role.VIEWER)
        path = f"/v1/operations/trace/{card['school_year']}/{card['card_id']}/attempts/{attempt}"
        masked = api.get(path, minh)
        assert card["pupil"]["full_name"] not in masked.text
        assert api.get(path, viewer).status_code == 403
        refused = api.post(f"{path}/reveal", minh, json={"reason": "the school asks"})
        assert (refused.status_code, refused.json()["code"]) == (403, "access.bodies")
        assert api.post(f"{path}/reveal", lan, json={"reason": ""}).status_code == 422
        revealed = api.post(f"{path}/reveal", lan, json={"reason": "the school asks"}).json()["request"]
        assert card["pupil"]["full_name"] in revealed
        assert other["pupil"]["full_name"] not in revealed
        with api.store.read() as connection:
            [entry] = [one for one in audit.entries(connection) if one.action == "reveal-bodies"]
            told = story.story(connection, key)
        assert (entry.actor, entry.reason) == ("operator:lan", "the school asks")
        assert told is not None
        looks = [(one.actor, one.code, one.facts["attempt"]) for one in told.events if one.kind == "act"]
        assert looks == [("operator:minh", "view-bodies", attempt), ("operator:lan", "reveal-bodies", attempt)]
        assert api.get(path.replace(str(attempt), "99999"), lan).status_code == 404


def test_polls_are_shown_too_and_no_password_is_kept(hub: DeliveringHub):
    [card] = delivered(hub, 1)
    polled = looked_at(hub, card, "poll")
    assert polled["ministry"].response is not None
    with hub.store.read() as connection:
        for row in connection.execute(select(attempt_bodies)):
            for kept in (row.request, row.response):
                body = story.unpack(kept)
                assert b"sandbox-password" not in body
                assert b"UsernameToken" not in body
                assert b"Bearer" not in body


def test_a_call_about_another_card_shows_nothing(hub: DeliveringHub):
    cards = delivered(hub, 2)
    with hub.store.write() as connection:
        assert look_at_bodies(
            connection, hub.destinations, CardKey(SchoolYear("2025-2026"), CardId("nobody")), 1, actor="a", now=1
        ) is None  # fmt: skip
        key = CardKey(SchoolYear(cards[0]["school_year"]), CardId(cards[0]["card_id"]))
        assert look_at_bodies(connection, hub.destinations, key, 999, actor="a", now=1) is None
        assert [one for one in audit.entries(connection) if one.action == "view-bodies"] == []


def kept(hub: DeliveringHub) -> int:
    with hub.store.read() as connection:
        return connection.execute(select(func.count()).select_from(attempt_bodies)).scalar_one()


def test_bodies_are_forgotten_in_time_and_not_kept_where_the_settings_say_so(hub: DeliveringHub):
    delivered(hub, 2)
    number = kept(hub)
    assert number > 2
    run_once(hub.store, "retention", Retention(Settings()), now=hub.now + 6 * DAY_MS)
    assert kept(hub) == number
    run_once(hub.store, "retention", Retention(Settings()), now=hub.now + 8 * DAY_MS)
    assert kept(hub) == 0
    hub.engine = replace(hub.engine, keeps_bodies=False)
    hub.accept(list(generate(1, 99)))
    hub.run_until(hub.now + HOUR)
    assert kept(hub) == 0
