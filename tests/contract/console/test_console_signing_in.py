"""Signing in to the console: who may, how often they may try, how long it lasts, and what a form must bring."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyotp
import pytest
from sqlalchemy import select

from hocba_hub.store import audit, sessions
from hocba_hub.store.access import Owner, Role, add_operator, revoke_owner
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import sessions as sessions_table
from tests.support.api_server import Api, running_api
from tests.support.console import PASSWORD, Person, add_person, text_of, token_of

COOKIE = "hocba_console"
MINUTE = 60_000


one_store = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
"""What these tests are about is the same on both; the pages' own tests run on both."""


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        add_person(store, "lan", Role.OPERATOR, running.now)
        yield running


@pytest.fixture
def lan(api: Api) -> Person:
    return Person(api.url)


@one_store
def test_who_is_not_signed_in_is_sent_there_and_comes_back_where_they_wanted_to_go(api: Api, lan: Person):
    sent = lan.get("/console/deliveries?state=refused")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/console/sign-in?to=%2Fconsole%2Fdeliveries%3Fstate%3Drefused"
    page = lan.follow(sent)
    assert 'value="/console/deliveries?state=refused"' in page.text
    entered = lan.sign_in("lan", to="/console/deliveries?state=refused")
    assert lan.follow(entered).status_code == 200
    cookie = entered.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/console"))
    assert "Secure" not in cookie
    with api.store.read() as connection:
        newest = audit.entries(connection)[0]
    assert (newest.actor, newest.action, newest.detail) == (
        "operator:lan",
        "operator.sign-in",
        {"second_factor": False},
    )


@one_store
def test_behind_https_the_cookie_goes_by_https_alone(store: Store):
    with running_api(store, public_url="https://hub.example.vn") as api:
        add_person(store, "lan", Role.OPERATOR, api.now)
        assert "Secure" in Person(api.url).sign_in("lan").headers["set-cookie"]


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/console//evil.example", "/v1", "/console\\x"]
)
@one_store
def test_nobody_is_sent_elsewhere_by_a_link_to_us(lan: Person, to: str):
    assert lan.sign_in("lan", to=to).headers["location"] == "/console"
    assert lan.get("/console/language/en", params={"to": to}).headers["location"] == "/console"


@pytest.mark.parametrize(("name", "password"), [("lan", "wrong password"), ("nobody", PASSWORD), ("lan", ""), ("", "")])
@one_store
def test_a_wrong_name_and_a_wrong_password_are_told_alike(lan: Person, name: str, password: str):
    answer = lan.sign_in(name, password)
    assert answer.status_code == 401
    assert "Tên hoặc mật khẩu không đúng." in text_of(answer.text)
    assert COOKIE not in answer.cookies


@one_store
def test_an_operator_without_a_password_or_who_has_ended_does_not_enter(api: Api, lan: Person):
    with api.store.write() as connection:
        add_operator(connection, "minh", Role.ADMINISTRATOR, now=api.now)
    assert Person(api.url).sign_in("minh", "").status_code == 401
    lan.sign_in("lan")
    assert lan.get("/console/jobs").status_code == 200
    with api.store.write() as connection:
        revoke_owner(connection, Owner.OPERATOR, "lan", now=api.now)
    assert lan.get("/console/jobs").status_code == 303  # at once, though the session is open
    assert Person(api.url).sign_in("lan").status_code == 401


@one_store
def test_after_five_wrong_passwords_none_is_looked_at_for_a_quarter_of_an_hour(api: Api, lan: Person):
    for _ in range(sessions.FAILURES_TO_LOCK):
        assert "không đúng" in text_of(lan.sign_in("lan", "wrong password").text)
    locked = lan.sign_in("lan")
    assert locked.status_code == 401
    assert "tạm khóa 15 phút" in text_of(locked.text)
    api.now += sessions.LOCK_MS
    assert lan.sign_in("lan").status_code == 303
    api.now += MINUTE
    assert "không đúng" in text_of(Person(api.url).sign_in("lan", "wrong password").text)  # a right one forgave those


@one_store
def test_many_tries_at_once_are_no_more_tries(api: Api):
    answers: list[str] = []

    def attempt() -> None:
        answers.append(text_of(Person(api.url).sign_in("lan", "wrong password").text))

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("không đúng" in answer for answer in answers) == sessions.FAILURES_TO_LOCK
    assert sum("tạm khóa" in answer for answer in answers) == 12 - sessions.FAILURES_TO_LOCK


@one_store
def test_a_session_rests_half_an_hour_at_most_and_lasts_twelve_hours(api: Api, lan: Person):
    lan.sign_in("lan")
    for _ in range(12 * 60 // 25):  # asked every 25 minutes, it goes on …
        api.now += 25 * MINUTE
        assert lan.get("/console").status_code == 200
    api.now += 25 * MINUTE
    assert lan.get("/console").status_code == 303  # … until the twelve hours are over
    lan.sign_in("lan")
    api.now += 31 * MINUTE
    assert lan.get("/console").status_code == 303


@one_store
def test_the_token_is_replaced_and_the_one_before_counts_for_a_minute(api: Api, lan: Person):
    lan.sign_in("lan")
    first = lan.http.cookies[COOKIE]
    api.now += 16 * MINUTE
    assert lan.get("/console").status_code == 200
    assert lan.http.cookies[COOKIE] != first
    stolen = Person(api.url)
    stolen.http.cookies.set(COOKIE, first, path="/console")
    assert stolen.get("/console").status_code == 200  # a page that was under way
    assert COOKIE not in stolen.get("/console").cookies  # and it gets no newer token
    api.now += 2 * MINUTE
    assert stolen.get("/console").status_code == 303
    assert lan.get("/console").status_code == 200
    with api.store.read() as connection:
        kept = connection.execute(select(sessions_table)).one()
    assert first.encode() not in kept.token_sha256 + (kept.former_sha256 or b"")


@one_store
def test_signing_out_ends_it_for_good(api: Api, lan: Person):
    lan.sign_in("lan")
    token = lan.http.cookies[COOKIE]
    assert lan.post("/console/sign-out").headers["location"] == "/console/sign-in"
    again = Person(api.url)
    again.http.cookies.set(COOKIE, token, path="/console")
    assert again.get("/console").status_code == 303


@one_store
def test_a_form_needs_the_token_of_its_session_and_comes_from_here(api: Api, lan: Person):
    lan.sign_in("lan")
    path, fields = "/console/destinations/province/pause", {"reason": "repair of the line"}
    for csrf in ("", "x" * 32):
        refused = lan.post(path, fields, csrf=csrf)
        assert refused.status_code == 403
        assert "console.form-foreign" in refused.text
    add_person(api.store, "other", Role.OPERATOR, api.now)
    other = Person(api.url)
    other.sign_in("other")
    assert lan.post(path, fields, csrf=other.csrf()).status_code == 403
    token = lan.csrf()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert lan.http.post(path, data={"csrf": token, **fields}, headers=headers).status_code == 403
    assert (
        Person(api.url)
        .http.post(
            "/console/sign-in", data={"name": "lan", "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        .status_code
        == 403
    )  # nobody is signed in by another page
    with api.store.read() as connection:
        assert all(one.action != "pause" for one in audit.entries(connection))
    headers = {"Origin": api.url, "Sec-Fetch-Site": "same-origin"}
    assert lan.http.post(path, data={"csrf": token, **fields}, headers=headers).status_code == 303


@one_store
def test_a_large_form_is_cut_off_and_none_is_read_of_a_stranger(api: Api, lan: Person):
    assert (
        lan.http.post("/console/replays", data={"reason": "x" * 300_000})
        .headers["location"]
        .startswith("/console/sign-in")
    )
    assert lan.http.post("/console/sign-in", data={"name": "x" * 300_000}).status_code == 413
    lan.sign_in("lan")
    assert lan.post("/console/replays", {"reason": "x" * 300_000}).status_code == 413
    assert lan.post("/console/replays", {f"f{n}": "x" for n in range(300)}).status_code == 400


@one_store
def test_a_second_factor_is_shown_once_asked_for_and_its_code_is_taken_once(api: Api, lan: Person):
    lan.sign_in("lan")
    page = lan.get("/console/account")
    assert "<svg" in page.text
    secret = page.text.partition('name="secret" value="')[2].partition('"')[0]
    codes = pyotp.TOTP(secret)
    now = lambda: codes.at(api.now // 1000)  # noqa: E731 - it moves with the clock
    on = {"secret": secret, "code": "000000", "password": PASSWORD}
    assert "Mã xác thực không đúng" in text_of(lan.post("/console/account/second-factor", on).text)
    wrong = {**on, "code": now(), "password": "wrong password"}
    assert lan.post("/console/account/second-factor", wrong).status_code == 422
    assert lan.post("/console/account/second-factor", {**on, "code": now()}).status_code == 303

    other = Person(api.url)
    assert "Mã xác thực sai" in text_of(other.sign_in("lan").text)
    api.now += 30_000
    code = now()
    assert other.sign_in("lan", code=code).status_code == 303
    assert "đã dùng" in text_of(Person(api.url).sign_in("lan", code=code).text)  # seen over a shoulder
    api.now += 30_000
    assert Person(api.url).sign_in("lan", code=f"{now()[:3]} {now()[3:]}").status_code == 303
    assert secret not in other.get("/console/account").text
    assert other.post("/console/account/second-factor", {"password": PASSWORD}).status_code == 303
    assert Person(api.url).sign_in("lan").status_code == 303


@one_store
def test_a_password_that_somebody_else_knows_is_changed_first(api: Api):
    add_person(api.store, "new", Role.VIEWER, api.now, must_change=True)
    new = Person(api.url)
    new.sign_in("new")
    assert new.get("/console/jobs").headers["location"] == "/console/account"
    fields = {"old": PASSWORD, "new": "một câu dài dễ nhớ", "again": "một câu dài dễ nhớ"}
    for wrong in (
        {"old": "wrong password"}, {"again": "khác câu kia nhiều"}, {"new": "ngắn", "again": "ngắn"},
        {"new": PASSWORD, "again": PASSWORD}, {"new": "aaaaaaaaaaaaaaa", "again": "aaaaaaaaaaaaaaa"},
        {"new": "this is New today", "again": "this is New today"},
    ):  # fmt: skip
        assert new.post("/console/account/password", fields | wrong).status_code == 422, wrong
    elsewhere = Person(api.url)
    elsewhere.sign_in("new")
    changed = new.post("/console/account/password", fields)
    assert "Đã đổi mật khẩu" in text_of(new.follow(changed).text)
    assert new.get("/console/jobs").status_code == 200
    assert elsewhere.get("/console/jobs").status_code == 303  # every other session has ended
    assert Person(api.url).sign_in("new").status_code == 401


@one_store
def test_every_answer_keeps_the_browser_from_anything_else(api: Api, lan: Person):
    lan.sign_in("lan")
    for path in (
        "/console",
        "/console/nowhere",
        "/console/operators",
        "/console/sign-in",
        "/console/static/console.js",
    ):
        answer = lan.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert lan.get("/console").headers["cache-control"] == "no-store"
    assert "immutable" in lan.get("/console/static/console.css").headers["cache-control"]
    assert token_of(lan.get("/console").text) == lan.csrf()
