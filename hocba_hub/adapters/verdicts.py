"""What an answer says of each record: codes matched to records, and never taken on trust."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hocba_hub.adapters.protocol import NOT_IN_ANSWER, OutboundRecord, Outcome, Stage, Unasked
from hocba_hub.model.keys import RECORD_IDS, RecordIds, Version

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def plain_code(value: object) -> str | None:
    """A code of the other side if it has the form of a code (so that no text, and no name, gets into our logs)."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def whole(outcomes: Mapping[str, Outcome], acknowledged: Collection[str]) -> Outcome:
    """The outcome of a version from those of the records that it goes as, by record id, at least one.

    The first one that the destination has not taken counts, else the last; `taken` are those that it has.
    """
    taken = [name for name, one in outcomes.items() if one.stage is Stage.ANSWERED and one.code in acknowledged]
    *_, last = outcomes.values()
    return replace(next((one for name, one in outcomes.items() if name not in taken), last), taken=tuple(taken))


class Verdicts:
    """The codes of one answer by record id and version.

    `acknowledged` are the codes that say that a record is held: of a version that went as several records, the first
    other answer counts.
    """

    def __init__(self, record_ids: RecordIds = RECORD_IDS, acknowledged: Collection[str] = ()) -> None:
        self._record_ids, self._acknowledged = record_ids, acknowledged
        self._codes: dict[tuple[str, int, str | None], tuple[str | None, str]] = {}

    def add(
        self, record_id: object, version: object, code: object, field: object = None, *, reference: str | None = None
    ) -> None:
        """Note one result; what has not the right types counts as not in the answer.

        `field` names the field that a refusal is about, `reference` the batch that it came in, where the answer is
        about several. Two results with different codes for one version make its verdict unreadable.
        """
        if not isinstance(record_id, str) or not isinstance(version, int):
            return
        known, detail = plain_code(code), plain_code(field) or ""
        earlier = self._codes.get((record_id, version, reference))
        if earlier is not None and earlier[0] != known:
            known = None
        self._codes[record_id, version, reference] = known, detail

    def unasked(self, records: Sequence[OutboundRecord]) -> list[Unasked]:
        """What is readable of it about other versions than those of `records`."""
        asked = {(self._record_ids.of(record.key), record.version) for record in records}
        found = []
        for (record_id, version, _), (code, _) in self._codes.items():
            key = self._record_ids.key(record_id)
            if code is not None and key is not None and (record_id, version) not in asked:
                found.append(Unasked(key, Version(version), code))
        return found

    def outcome(self, record: OutboundRecord, record_ids: Sequence[str] = ()) -> Outcome:
        """The outcome of one version that was part of the call, under its own record id or under several."""
        names = record_ids or (self._record_ids.of(record.key),)
        return whole({name: self._outcome(record, name) for name in names}, self._acknowledged)

    def _outcome(self, record: OutboundRecord, record_id: str) -> Outcome:
        of_batch = self._codes.get((record_id, record.version, record.reference))
        found = of_batch or self._codes.get((record_id, record.version, None))
        match found:
            case None:
                return Outcome(record.delivery_id, Stage.NO_ANSWER, NOT_IN_ANSWER)
            case None, _:
                return Outcome(record.delivery_id, Stage.NO_ANSWER, "unreadable-answer", "no code")
            case code, detail:
                return Outcome(record.delivery_id, Stage.ANSWERED, code, detail)
