"""Counting failures again from what is kept of them: attempts, verdicts that were brought, and rejected records.

For a hub that was brought up to a version that tells causes apart otherwise, or restored. Hour by hour: each hour's
counts are replaced in one transaction that keeps everybody else from counting meanwhile, so that they are exact,
whatever is delivered beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, text, update

from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.failures import Cause, cause_of_attempt
from hocba_hub.model.ids import first_uuid7
from hocba_hub.store.acknowledgements import AckKind
from hocba_hub.store.engine import in_states, one_of
from hocba_hub.store.failures import HOUR_MS, STANDING, add, in_order, new_group
from hocba_hub.store.selection import HAS_NEWER
from hocba_hub.store.tables import (
    acknowledgements,
    attempts,
    deliveries,
    delivery_attempts,
    failure_counts,
    failure_groups,
    open_findings,
    records,
    report_cards,
    submissions,
)

_S = DeliveryState
_g, _n, _d, _a, _t = failure_groups.c, failure_counts.c, deliveries.c, attempts.c, delivery_attempts.c
_r, _k, _s = report_cards.c, acknowledgements.c, submissions.c
_Place = tuple[str, int]
_FAILED = (Meaning.REFUSED, Meaning.TRANSIENT, Meaning.PRECONDITION, Meaning.UNKNOWN_OUTCOME)
"""As the partial indexes have them, word by word."""


def first_hour(connection: Connection, *, since: int) -> int | None:
    """The first hour from `since` on in which something is counted, or an attempt failed; None if there is none."""
    failed = in_states(_a.outcome, *_FAILED)
    found = [
        connection.execute(select(func.min(_n.hour_at)).where(_n.hour_at >= since)).scalar(),
        connection.execute(select(func.min(_a.ended_at)).where(failed, _a.ended_at >= since)).scalar(),
    ]
    known = [moment // HOUR_MS * HOUR_MS for moment in found if moment is not None]
    return min(known, default=None)


def recount_hour(connection: Connection, hour: int) -> int:
    """Replace what is counted of an hour; by how many failures its groups differ now from before."""
    if connection.dialect.name == "postgresql":
        # Who counts takes the groups first, too: so nobody holds one of them and waits for the other.
        connection.execute(text("LOCK TABLE failure_groups, failure_counts IN SHARE ROW EXCLUSIVE MODE"))
    before = Counter(dict(_sums(connection, hour)))
    connection.execute(delete(failure_counts).where(_n.hour_at == hour))
    counted: Counter[tuple[int, int, str, int]] = Counter()
    by_cause: Counter[tuple[Cause, _Place]] = Counter()
    for cause, place, times in (*_attempts(connection, hour), *_verdicts(connection, hour)):
        by_cause[cause, place] += times
    ids = _ids(connection, {cause for cause, _ in by_cause}, hour)
    for (cause, (school, client)), times in by_cause.items():
        counted[ids[cause], hour, school, client] += times
    for group_id, (school, client), times in _rejections(connection, hour):
        counted[group_id, hour, school, client] += times
    if counted:
        add(connection, counted)
    after: Counter[int] = Counter()
    for (group_id, *_), times in counted.items():
        after[group_id] += times
    return _shift(connection, before, after)


def _sums(connection: Connection, hour: int) -> Iterator[tuple[int, int]]:
    for group_id, times in connection.execute(
        select(_n.group_id, func.sum(_n.times)).where(_n.hour_at == hour).group_by(_n.group_id)
    ):
        yield group_id, int(times)


def _attempts(connection: Connection, hour: int) -> Iterator[tuple[Cause, _Place, int]]:
    """Attempts that failed."""
    query = (
        select(
            _a.destination, _a.kind, _t.meaning, _t.code, _t.detail, _t.mapping, _r.school_code, _r.client_id,
            func.count(),
        )
        .join_from(attempts, delivery_attempts, _t.attempt_id == _a.id)
        .join(deliveries, _d.id == _t.delivery_id)
        .join(report_cards, and_(_r.school_year == _d.school_year, _r.card_id == _d.card_id))
        .where(
            in_states(_a.outcome, *_FAILED), _a.ended_at >= hour, _a.ended_at < hour + HOUR_MS,
            in_states(_t.meaning, *_FAILED),
        )
        .group_by(
            _a.destination, _a.kind, _t.meaning, _t.code, _t.detail, _t.mapping, _r.school_code, _r.client_id
        )
    )  # fmt: skip
    for *said, school, client, times in connection.execute(query):
        cause = cause_of_attempt(*said)
        if cause is not None:
            yield cause, (school, client), times


def _verdicts(connection: Connection, hour: int) -> Iterator[tuple[Cause, _Place, int]]:
    """Refusals that a destination brought by itself, or a person; those of one delivery in the hour of the first."""
    query = (
        select(_k.destination, _k.source, _k.verdict, _k.code, _r.school_code, _r.client_id, _k.times)
        .join_from(acknowledgements, deliveries, _d.id == _k.delivery_id)
        .join(report_cards, and_(_r.school_year == _d.school_year, _r.card_id == _d.card_id))
        .where(
            in_states(_k.kind, AckKind.SETTLED), in_states(_k.verdict, DeliveryState.REFUSED), _k.first_at >= hour,
            _k.first_at < hour + HOUR_MS,
        )
    )  # fmt: skip
    for destination, source, verdict, code, school, client, times in connection.execute(query):
        cause = cause_of_attempt(destination, source, verdict, code, "", None)
        if cause is not None:
            yield cause, (school, client), times


def _rejections(connection: Connection, hour: int) -> Iterator[tuple[int, _Place, int]]:
    """Records that were rejected, by the group that they were rejected into."""
    c = records.c
    school = func.coalesce(c.school_code, "")
    query = (
        select(c.failure_group_id, school, _s.client_id, func.count())
        .join_from(records, submissions, _s.id == c.submission_id)
        .where(
            in_states(c.status, "rejected"), c.submission_id >= first_uuid7(hour),
            c.submission_id < first_uuid7(hour + HOUR_MS), c.failure_group_id.is_not(None),
        )
        .group_by(c.failure_group_id, school, _s.client_id)
    )  # fmt: skip
    for group_id, of, client, times in connection.execute(query):
        yield group_id, (of, client), times


def _ids(connection: Connection, causes: Iterable[Cause], at: int) -> dict[Cause, int]:
    """The groups of causes, made where there is none."""
    wanted = {one for cause in causes for one in (cause, cause.root) if one is not None}
    ids: dict[Cause, int] = {}
    for cause in in_order(wanted):
        found = select(_g.id).where(_g.fingerprint == cause.fingerprint)
        group_id = connection.execute(found).scalar()
        if group_id is None:
            root_id = None if cause.root is None else ids[cause.root]
            connection.execute(new_group(connection, cause, root_id, 0, at).on_conflict_do_nothing())
            group_id = connection.execute(found).scalar_one()
        ids[cause] = group_id
    return ids


def _shift(connection: Connection, before: Mapping[int, int], after: Mapping[int, int]) -> int:
    """Bring the sums in the groups' rows in line; how many failures were counted wrongly."""
    changed = {one: after.get(one, 0) - before.get(one, 0) for one in before.keys() | after.keys()}
    changed = {one: by for one, by in changed.items() if by}
    rows = connection.execute(select(_g.id, _g.root_id).where(one_of(connection, _g.id, sorted(changed))))
    roots = {row.id: row.root_id for row in rows}
    moved: Counter[int] = Counter()
    for one, by in changed.items():
        moved[one] += by
        root = roots.get(one)
        if root is not None:
            moved[root] += by
    for one in sorted(moved):
        connection.execute(update(failure_groups).where(_g.id == one).values(times=_g.times + moved[one]))
    return sum(map(abs, changed.values()))


def place_again(connection: Connection, after: int, limit: int) -> tuple[int | None, int]:
    """Put some deliveries, by id from `after` on, into the group of their last failure.

    The id of the last one looked at (None: there are no more), and how many stood in a wrong group.
    """
    page = select(_d.id).where(_d.id > after).order_by(_d.id).limit(limit)
    ids = list(connection.execute(page).scalars())
    if not ids:
        return None, 0
    standing = (
        select(_d.id, _d.destination, _d.code, _d.state, _d.failure_group_id)
        .where(one_of(connection, _d.id, ids), in_states(_d.state, *STANDING), or_(_d.state != _S.REFUSED, ~HAS_NEWER))
        .order_by(_d.id)
        .with_for_update()
    )
    rows = {row.id: row for row in connection.execute(standing)}
    causes = _last_causes(connection, rows)
    groups = _ids(connection, {one for one in causes.values() if one is not None}, 0)
    wrong: dict[int | None, list[int]] = {}
    for one, row in rows.items():
        cause = causes.get(one)
        group_id = None if cause is None else groups[cause]
        if group_id != row.failure_group_id:
            wrong.setdefault(group_id, []).append(one)
    for group_id, mine in wrong.items():
        changed = update(deliveries).where(one_of(connection, _d.id, mine))
        connection.execute(changed.values(failure_group_id=group_id))
    return ids[-1], sum(map(len, wrong.values()))


def _last_causes(connection: Connection, rows: Mapping[int, Any]) -> dict[int, Cause | None]:
    """Why deliveries failed last: as the last attempt says that did, or the refusal that was brought."""
    ids = sorted(rows)
    found: dict[int, Cause | None] = {}
    tried = (
        select(_t.delivery_id, _a.destination, _a.kind, _t.meaning, _t.code, _t.detail, _t.mapping)
        .join_from(delivery_attempts, attempts, _a.id == _t.attempt_id)
        .where(one_of(connection, _t.delivery_id, ids))
        .order_by(_t.delivery_id, _t.attempt_id)
    )
    for one, *said in connection.execute(tried):
        found[one] = cause_of_attempt(*said) or found.get(one)
    brought = (
        select(_k.delivery_id, _k.destination, _k.source, _k.verdict, _k.code)
        .where(one_of(connection, _k.delivery_id, ids), _k.kind == AckKind.SETTLED, _k.verdict == DeliveryState.REFUSED)
        .order_by(_k.last_at)
    )
    for one, destination, source, verdict, code in connection.execute(brought):
        known = found.get(one)
        if rows[one].state == DeliveryState.REFUSED and rows[one].code == code and (
            known is None or known.code != code
        ):  # fmt: skip
            found[one] = cause_of_attempt(destination, source, verdict, code, "", None)
    return found


def forget_empty(connection: Connection) -> int:
    """Forget groups that nothing is counted in, nothing stands in, and nobody has said anything of; how many."""
    child = failure_groups.alias("child").c
    unused = and_(
        _g.times <= 0, _g.owner.is_(None), _g.note.is_(None),
        ~exists().where(_d.failure_group_id == _g.id),
        ~exists().where(open_findings.c.failure_group_id == _g.id),
        ~exists().where(child.root_id == _g.id),
    )  # fmt: skip
    return connection.execute(delete(failure_groups).where(unused)).rowcount
