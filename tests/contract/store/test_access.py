"""Clients, operators and their keys, on both stores."""

from __future__ import annotations

import hashlib
import re

import pytest
from sqlalchemy import select

from hocba_hub.store.access import (
    AccessError,
    Client,
    Operator,
    Owner,
    Role,
    add_client,
    add_key,
    add_operator,
    identify,
    owners,
    revoke_key,
    revoke_owner,
    set_schools,
)
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import keys


def test_a_key_names_its_client_and_its_schools(store: Store):
    with store.write() as c:
        some = add_client(c, "vendor-a", ["S2", "S1", "S1"], now=1)
        every = add_client(c, "vendor-b", ["S1", "*"], now=1)
    with store.read() as c:
        found = identify(c, some.key, now=1)
        assert found == Client(some.owner_id, "vendor-a", frozenset({"S1", "S2"}))
        assert found.may_speak_for("S1")
        assert not found.may_speak_for("S3")
        assert identify(c, every.key, now=1) == Client(every.owner_id, "vendor-b", None)
        assert identify(c, every.key, now=1).may_speak_for("S3")


def test_a_key_names_its_operator_and_role(store: Store):
    with store.write() as c:
        made = add_operator(c, "lan", Role.OPERATOR, now=1)
    with store.read() as c:
        assert identify(c, made.key, now=1) == Operator(made.owner_id, "lan", Role.OPERATOR)
    assert made.key.startswith("hbo_")


def test_the_secret_has_256_bits_and_only_its_digest_is_kept(store: Store):
    with store.write() as c:
        first = add_client(c, "vendor", ["*"], now=1)
        second = add_key(c, Owner.CLIENT, "vendor", now=2, most=20)
    assert re.fullmatch(r"hbc_[0-9a-f]{12}_[0-9a-f]{64}", first.key)
    assert first.key != second.key
    with store.read() as c:
        rows = {row.id: row for row in c.execute(select(keys))}
    secret = first.key.rpartition("_")[2]
    assert rows[first.id].secret_sha256 == hashlib.sha256(secret.encode()).digest()
    assert secret not in str(rows)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "hbc",
        "Bearer x",
        "hbc_000000000000_" + "0" * 64,
        "hbc__",
        "hbc_é",
        "hbc_" + "0" * 12 + "_" + "0" * 63,
    ],
)
def test_what_is_no_key_names_nobody(store: Store, wrong: str):
    with store.write() as c:
        add_client(c, "vendor", ["*"], now=1)
    with store.read() as c:
        assert identify(c, wrong, now=1) is None


def test_each_part_of_the_key_counts(store: Store):
    with store.write() as c:
        made = add_client(c, "vendor", ["*"], now=1)
        other = add_client(c, "other", ["*"], now=1)
    kind, key_id, secret = made.key.split("_")
    with store.read() as c:
        assert identify(c, f"hbo_{key_id}_{secret}", now=1) is None
        assert identify(c, f"{kind}_{other.id}_{secret}", now=1) is None
        assert identify(c, f"{kind}_{key_id}_{secret[::-1]}", now=1) is None


def test_rotation_without_a_break(store: Store):
    with store.write() as c:
        old = add_client(c, "vendor", ["*"], now=1)
    with store.write() as c:
        new = add_key(c, Owner.CLIENT, "vendor", now=2, most=20)
    with store.read() as c:
        assert identify(c, old.key, now=1) == identify(c, new.key, now=1) != None  # noqa: E711
    with store.write() as c:
        revoke_key(c, Owner.CLIENT, "vendor", old.id, now=3)
    with store.read() as c:
        assert identify(c, old.key, now=1) is None
        assert identify(c, new.key, now=1) is not None
        [entry] = owners(c, Owner.CLIENT)
    assert [(key.id, key.revoked_at) for key in entry.keys] == [(old.id, 3), (new.id, None)]


def test_a_revoked_owner_is_out_with_all_its_keys_and_keeps_its_name(store: Store):
    with store.write() as c:
        first = add_operator(c, "lan", Role.VIEWER, now=1)
        second = add_key(c, Owner.OPERATOR, "lan", now=2, most=20)
        stays = add_operator(c, "minh", Role.VIEWER, now=2)
        revoke_owner(c, Owner.OPERATOR, "lan", now=3)
    with store.read() as c:
        assert identify(c, first.key, now=1) is None
        assert identify(c, second.key, now=1) is None
        assert identify(c, stays.key, now=1) is not None
        assert [(o.name, o.revoked_at) for o in owners(c, Owner.OPERATOR)] == [("lan", 3), ("minh", None)]
    for act in (
        lambda c: add_operator(c, "lan", Role.VIEWER, now=4),
        lambda c: add_key(c, Owner.OPERATOR, "lan", now=4, most=20),
        lambda c: revoke_owner(c, Owner.OPERATOR, "lan", now=4),
    ):
        with pytest.raises(AccessError), store.write() as c:
            act(c)


def test_names_are_unique_and_a_key_is_its_owners(store: Store):
    with store.write() as c:
        add_client(c, "vendor", ["S1"], now=1)
        other = add_client(c, "other", ["S1"], now=1)
        add_operator(c, "vendor", Role.VIEWER, now=1)  # clients and operators are apart
    with pytest.raises(AccessError), store.write() as c:
        add_client(c, "vendor", ["S2"], now=2)
    with pytest.raises(AccessError), store.write() as c:
        revoke_key(c, Owner.CLIENT, "vendor", other.id, now=2)
    with pytest.raises(AccessError), store.write() as c:
        add_client(c, "nobody", [], now=2)


def test_the_schools_of_a_client_can_be_changed(store: Store):
    with store.write() as c:
        made = add_client(c, "vendor", ["S1"], now=1)
        set_schools(c, "vendor", ["S2", "S3"])
    with store.read() as c:
        assert identify(c, made.key, now=1).schools == {"S2", "S3"}
        assert owners(c, Owner.CLIENT)[0].scope == ["S2", "S3"]


def test_roles_are_ordered():
    assert [[a.covers(b) for b in Role] for a in Role] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
