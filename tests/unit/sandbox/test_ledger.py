"""The ledger against a plain model of it, over random arrivals."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.sandbox.ledger import Arrival, Ledger

ARRIVALS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 4), st.booleans(), st.booleans()), max_size=40
)


@given(ARRIVALS, st.integers(1, 7))
def test_counts_what_a_plain_model_counts(arrivals, batch):
    held: dict[str, set[int]] = {}
    received: Counter[tuple[str, int]] = Counter()
    doubled: Counter[tuple[str, int]] = Counter()
    expected, verdicts = [], []
    with closing(Ledger()) as ledger:
        for start in range(0, len(arrivals), batch):
            part = arrivals[start : start + batch]
            kept = [Arrival(i, v, "NEW", "x") for i, v, commit, _ in part if commit]
            refused = {Arrival(i, v, "NEW", "x") for i, v, commit, refuse in part if commit and refuse}
            ledger.receive([Arrival(i, v, "NEW", "x") for i, v, commit, _ in part if not commit])
            for i, v, commit, _ in part:
                received[i, v] += 1
                if not commit:
                    continue
                versions = held.setdefault(i, set())
                doubled[i, v] += v in versions
                if Arrival(i, v, "NEW", "x") in refused:
                    expected.append("SCHOOL_UNKNOWN")
                elif v > max(versions, default=0):
                    versions.add(v)
                    expected.append("OK")
                else:
                    expected.append("ALREADY_HELD" if v == max(versions) else "OLDER_VERSION")
            verdicts += ledger.commit(kept, lambda a, r=refused: "SCHOOL_UNKNOWN" if a in r else None)
        rows = list(ledger.rows())
        summary = ledger.summary()
        highest = {i: (ledger.held(i) or {}).get("version") for i in held}
    assert verdicts == expected
    assert {(r["record_id"], r["version"]): r["received"] for r in rows} == dict(received)
    assert {(r["record_id"], r["version"]) for r in rows if r["committed"]} == {(i, v) for i in held for v in held[i]}
    assert all(row["committed"] <= 1 for row in rows)
    assert {(r["record_id"], r["version"]): r["doubled"] for r in rows if r["doubled"]} == {
        key: count for key, count in doubled.items() if count
    }
    assert highest == {i: max(versions) if versions else None for i, versions in held.items()}
    assert summary["received"] == len(arrivals)
    assert summary["records_held"] == sum(1 for versions in held.values() if versions)


def test_other_bytes_for_the_same_version_are_seen():
    with closing(Ledger()) as ledger:
        for digest in ("x", "x", "y"):
            ledger.commit([Arrival("a", 1, "NEW", digest)], lambda _: None)
        assert (ledger.summary()["doubled"], ledger.summary()["altered"]) == (2, 1)


def test_a_refused_version_may_be_accepted_later():
    with closing(Ledger()) as ledger:
        assert ledger.commit([Arrival("a", 1, "NEW", "x")], lambda _: "CARD_LOCKED") == ["CARD_LOCKED"]
        assert ledger.held("a") is None
        assert ledger.commit([Arrival("a", 1, "NEW", "x")], lambda _: None) == ["OK"]
        assert ledger.held("a")["verdict"] == "OK"


def test_pages_and_reset(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(Ledger(path)) as ledger:
        ledger.commit([Arrival(f"r{number}", 1, "NEW", "x") for number in range(25)], lambda _: None, "ref")
        first = ledger.page(0, 10)
        assert [row["record_id"] for row in ledger.page(first[-1]["seq"], 10)] == [f"r{n}" for n in range(10, 20)]
        assert len(ledger.submission("ref")) == 25
    with closing(Ledger(path)) as again:
        assert again.summary()["committed"] == 25
        again.reset()
        assert again.summary()["received"] == 0
