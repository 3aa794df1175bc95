"""The pure parts of the API: kinds of problems, errors of a request, cursors, rates, keys' memory, the call."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.api.http.call import Call
from hocba_hub.api.http.key_cache import KeyCache
from hocba_hub.api.http.pages import cursor, place
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.problems.problem_kinds import KINDS
from hocba_hub.api.problems.problem_pages import problems_page
from hocba_hub.api.problems.request_errors import request_error
from hocba_hub.store.access import Client
from hocba_hub.store.delivery_acts import TAKEN, Act
from hocba_hub.store.replays import REPLAYABLE

API = Path(__file__).parents[3] / "hocba_hub" / "api"
SOURCE = "".join(path.read_text(encoding="utf-8") for path in API.rglob("*.py"))


def test_every_kind_of_problem_says_what_it_is_and_what_to_do_in_both_languages():
    for code, kind in KINDS.items():
        assert re.fullmatch(r"[a-z]+([.-][a-z]+)*", code)
        assert 400 <= kind.status <= 599
        texts = (kind.title_vi, kind.title_en, kind.detail_vi, kind.detail_en)
        assert all(texts)
        assert len(set(texts)) == 4


def test_every_problem_that_is_raised_is_of_a_known_kind():
    raised = set(re.findall(r'(?:ProblemError|SubmissionError)\(\s*"([a-z.-]+)"', SOURCE))
    assert raised
    assert raised <= set(KINDS)


def test_the_document_has_every_kind():
    document = problems_page().decode()
    assert all(f"| `{code}` | {kind.status} |" in document for code, kind in KINDS.items())


def test_the_states_named_in_the_problem_are_those_that_may_be_taken():
    detail = KINDS["selection.state"].detail_en
    replay, _, cancel = detail.partition(";")
    for taken, part in ((REPLAYABLE, replay), (TAKEN[Act.CANCEL], cancel)):
        assert {state for state in taken if state in part} == taken


def test_a_wait_is_told_in_whole_seconds_and_never_as_none():
    assert [ProblemError("rate.exceeded", retry_after=s).headers["Retry-After"] for s in (0.01, 1, 1.2)] == [
        "1", "1", "2",
    ]  # fmt: skip
    assert "Retry-After" not in ProblemError("rate.exceeded").headers


def test_members_stand_beside_the_usual_ones():
    body = orjson.loads(ProblemError("request.invalid", errors=[]).response().body)
    assert body["errors"] == []
    assert body["code"] == "request.invalid"


def test_an_errors_place_is_a_json_pointer():
    error = request_error("missing", ("body", "a/b", "c~d", 0))
    assert (error["in"], error["pointer"]) == ("body", "/a~1b/c~0d/0")
    assert request_error("some_new_type", ("query", "x"))["message_vi"]


@given(st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(0, 2**62)))
def test_a_cursor_is_its_place_again(here: tuple[str, int]):
    made = cursor(here)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", made)
    assert place(made, str, int) == here
    with pytest.raises(ProblemError):
        place(made, int, str)
    with pytest.raises(ProblemError):
        place(made, str)


@given(st.text(max_size=40))
def test_whatever_is_no_cursor_is_a_problem(text: str):
    with suppress(ProblemError):
        assert place(text, str, int) is not None


def test_no_cursor_is_the_first_page():
    assert place(None, str) is None


def test_a_cursor_that_no_engine_can_hold_is_refused():
    for wrong in (("a\0b", 1), ("a", 2**63), ("a", -(2**63))):
        with pytest.raises(ProblemError):
            place(cursor(wrong), str, int)
    with pytest.raises(ProblemError):
        place(cursor(("a", True)), str, int)


KEY = f"hbc_{'a' * 12}_{'b' * 64}"


def test_calls_that_come_at_once_ask_the_store_once_and_a_fault_is_not_remembered():
    keyring = KeyCache(None, seconds=lambda: 0.0)  # type: ignore[arg-type]
    client = Client(1, "vendor", None)
    asked: list[str] = []

    def identify(key: str) -> Client:
        asked.append(key)
        if len(asked) == 1:
            raise OSError
        return client

    keyring._identify = identify  # type: ignore[method-assign]

    async def calls() -> list[object]:
        faults = await asyncio.gather(*(keyring.owner(KEY) for _ in range(10)), return_exceptions=True)
        return faults + await asyncio.gather(*(keyring.owner(KEY) for _ in range(10)))

    found = asyncio.run(calls())
    assert [isinstance(one, OSError) for one in found[:10]] == [True] * 10
    assert found[10:] == [client] * 10
    assert asked == [KEY, KEY]


def test_what_was_revoked_while_the_store_answered_is_not_remembered_longer():
    now = [0.0]
    keyring = KeyCache(None, seconds=lambda: now[0])  # type: ignore[arg-type]
    answers = [Client(1, "vendor", None), None]

    def identify(_: str) -> Client | None:
        now[0] += 0.9  # a slow store
        return answers.pop(0)

    keyring._identify = identify  # type: ignore[method-assign]

    async def calls() -> list[object]:
        first = await keyring.owner(KEY)
        now[0] += 0.2
        return [first, await keyring.owner(KEY)]

    assert asyncio.run(calls()) == [Client(1, "vendor", None), None]


def test_a_call_that_was_given_up_does_not_spoil_the_others():
    keyring = KeyCache(None)  # type: ignore[arg-type]
    keyring._identify = lambda _: Client(1, "vendor", None)  # type: ignore[method-assign]

    async def calls() -> object:
        first = asyncio.ensure_future(keyring.owner(KEY))
        second = asyncio.ensure_future(keyring.owner(KEY))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(calls()) == Client(1, "vendor", None)


def test_a_calls_trace_parent_is_only_a_right_one():
    right = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert Call({"headers": [(b"traceparent", right)]}).trace_parent == right.decode()
    for wrong in (b"", b"x" * 10_000, right + b"-x", right.upper()):
        assert Call({"headers": [(b"traceparent", wrong)]}).trace_parent is None
