"""Passwords of operators on the command line: given with the operator or later, never on the command line itself."""

from __future__ import annotations

import pytest

from hocba_hub.model.clock import system_clock
from hocba_hub.model.sign_in import is_password, new_secret
from hocba_hub.store import audit, sessions
from hocba_hub.store.access import Owner
from hocba_hub.store.engine import Store
from tests.support.command_line import Run

PASSWORD = "đúng con ngựa, đúng pin"


def test_an_operator_gets_a_password_with_the_account_and_another_later(run: Run, store: Store):
    added = run("operators", "add", "lan", "--role", "administrator", "--password", typed=f"{PASSWORD}\n")
    assert added.stdout.strip().startswith("hbo_")
    assert PASSWORD not in added.output
    with store.write() as connection:
        kept = sessions.begin_try(connection, "lan", system_clock())
        assert kept is not None
        assert is_password(kept.hash, PASSWORD)
        assert not kept.must_change
        sessions.set_second_factor(connection, kept.operator_id, new_secret())
        now = system_clock()
        token = sessions.open_session(connection, Owner.OPERATOR, kept.operator_id, sessions.Way.PASSWORD, now)
        for _ in range(sessions.FAILURES_TO_LOCK - 1):
            sessions.begin_try(connection, "lan", now)
        with pytest.raises(sessions.LockedError):
            sessions.begin_try(connection, "lan", now)
    run("operators", "password", "lan", typed="một câu dài khác hẳn\n")
    with store.write() as connection:
        kept = sessions.begin_try(connection, "lan", system_clock())  # the lock has ended
        assert kept is not None
        assert is_password(kept.hash, "một câu dài khác hẳn")
        assert kept.totp_secret is not None
        assert sessions.session_of(connection, token, now, idle_ms=10**9, most_ms=10**9) is None
    run("operators", "password", "lan", "--forget-second-factor", typed=f"{PASSWORD}\n")
    with store.read() as connection:
        kept = sessions.password_of(connection, kept.operator_id)
        assert kept is not None
        assert kept.totp_secret is None
        told = [(one.action, one.detail) for one in audit.entries(connection)]
    assert told[0] == ("operator.password", {"name": "lan", "second_factor": "forgotten"})
    assert [action for action, _ in told].count("operator.password") == 3


@pytest.mark.parametrize("weak", ["short", "a" * 30, "her name is Lan here", "x" * 201, ""])
def test_a_weak_password_is_refused_and_nothing_is_added(run: Run, store: Store, weak: str):
    refused = run("operators", "add", "lan", "--role", "viewer", "--password", typed=f"{weak}\n", code=2)
    assert "12 to 200 characters" in refused.output
    assert run("operators", "list").output.count("lan") == 0
    run("operators", "password", "nobody", typed=f"{PASSWORD}\n", code=1)
