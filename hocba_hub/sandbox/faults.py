"""Scripted faults: which ones, how often, and the decision by seed, so that the same script plays the same way.

A decision is a hash of the seed, the simulator, the fault and either the ordinal of the call or the record id; no
random numbers, no clock.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hocba_hub.model.errors import HubError

Simulator = Literal["province", "ministry"]
Operation = Literal["token", "submit", "poll", "lookup", "list"]

_SCALE = float(1 << 64)


class FaultScriptError(HubError):
    """A fault script is not usable."""


class FaultName(StrEnum):
    """What can go wrong at a destination."""

    TIMEOUT_BEFORE_COMMIT = "timeout-before-commit"
    """Nothing is kept; the connection is held and then closed without an answer."""
    TIMEOUT_AFTER_COMMIT = "timeout-after-commit"
    """The records are kept; the connection is held and then closed without an answer."""
    DROPPED_BEFORE_COMMIT = "dropped-before-commit"
    """Nothing is kept; the connection is dropped at once."""
    DROPPED_AFTER_COMMIT = "dropped-after-commit"
    """The records are kept; the connection is dropped at once."""
    TOO_MANY_REQUESTS = "too-many-requests"
    """429 with `Retry-After`; nothing is kept."""
    SERVER_ERROR = "server-error"
    """500 without any detail; nothing is kept."""
    UNAVAILABLE = "unavailable"
    """503 with `Retry-After`; nothing is kept."""
    BAD_GATEWAY_AFTER_COMMIT = "bad-gateway-after-commit"
    """502: the records are kept, a gateway lost the answer."""
    SOAP_FAULT = "soap-fault"
    """A SOAP fault of the server; nothing is kept. The province answers 500."""
    MALFORMED_AFTER_COMMIT = "malformed-after-commit"
    """The records are kept; the answer breaks off in the middle of its XML or JSON."""
    SLOW_ANSWER = "slow-answer"
    """Everything is right, only late."""
    TOKEN_EXPIRED = "token-expired"  # noqa: S105 - a name
    """401 although the token is young; the token is no longer taken. The Ministry refuses the UsernameToken."""
    WRONG_CREDENTIALS = "wrong-credentials"
    """401, or a WS-Security fault: the account is not known."""
    LATE_ACKNOWLEDGEMENT = "late-acknowledgement"
    """The verdicts of a submission stay pending for some polls or seconds."""
    LOST_ACKNOWLEDGEMENT = "lost-acknowledgement"
    """The verdicts of a submission stay pending for whoever polls; a look-up of a record tells its own."""
    REPEATED_ACKNOWLEDGEMENT = "repeated-acknowledgement"
    """This record's verdict stands twice in each result."""
    CONTRADICTORY_ACKNOWLEDGEMENT = "contradictory-acknowledgement"
    """A record is accepted in the first decided result and refused in later ones; it stays held."""
    RECORD_REFUSED = "record-refused"
    """This record is always refused, with the script's code."""
    RECORD_NOT_IN_ANSWER = "record-not-in-answer"
    """This record is kept, but the answer does not mention it."""
    OLDER_VERSION_SILENT = "older-version-silent"
    """A version lower than the held one is answered like an accepted one, although it is ignored."""
    INVENTORY_CHANGES = "inventory-changes"
    """This record comes after its page of the inventory was read: no page has it, and who asks for it is told."""


PER_SUBMISSION = frozenset({FaultName.LATE_ACKNOWLEDGEMENT, FaultName.LOST_ACKNOWLEDGEMENT})
"""Faults decided by submission."""
PER_RECORD = frozenset(
    {
        FaultName.REPEATED_ACKNOWLEDGEMENT,
        FaultName.CONTRADICTORY_ACKNOWLEDGEMENT,
        FaultName.RECORD_REFUSED,
        FaultName.RECORD_NOT_IN_ANSWER,
        FaultName.OLDER_VERSION_SILENT,
        FaultName.INVENTORY_CHANGES,
    }
)
"""Faults decided by record id; those of `PER_SUBMISSION` are decided by submission, all others by call."""


class Fault(BaseModel):
    """One line of a script."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: FaultName
    rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the calls (or records, or submissions) it strikes."""
    simulators: tuple[Simulator, ...] = ("province", "ministry")
    operations: tuple[Operation, ...] = ("submit",)
    """Calls it may strike; without meaning for faults of records and submissions."""
    times: Annotated[int, Field(ge=1)] | None = None
    """How often it strikes at most, per simulator; without a limit if absent."""
    seconds: Annotated[float, Field(ge=0, le=3600)] = 2.0
    """How long a connection is held, an answer is late, or verdicts stay pending."""
    polls: Annotated[int, Field(ge=0)] = 0
    """How many polls find the verdicts pending, besides those within `seconds`."""
    retry_after: Annotated[int, Field(ge=0)] = 1
    retry_after_date: bool = False
    """Say `Retry-After` as a date instead of seconds."""
    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")] = "SCHOOL_UNKNOWN"
    """Code of a refusal."""
    schools: tuple[str, ...] = ()
    """Refuse only records of these schools; a fault of records."""
    records: tuple[str, ...] = ()
    """Strike only the records with these ids; a fault of records."""

    def is_about(self, record_id: str, school: str) -> bool:
        """Whether it may strike this record."""
        return (not self.schools or school in self.schools) and (not self.records or record_id in self.records)


class FaultScript(BaseModel):
    """A seed and the faults, tried in order; the first that strikes a call is played."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    faults: tuple[Fault, ...] = ()


def read_script(text: str | bytes) -> FaultScript:
    """A script from YAML or JSON.

    Raises:
        FaultScriptError: it is not readable, or has an unknown name or field.
    """
    try:
        return FaultScript.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise FaultScriptError(f"Not readable as YAML or JSON: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(str(step) for step in e['loc'])}: {e['msg']}" for e in error.errors())
        raise FaultScriptError(problems) from error


class FaultPlayer:
    """Decides for one simulator which faults strike; safe to ask from several threads."""

    def __init__(self, simulator: Simulator, script: FaultScript) -> None:
        self._simulator = simulator
        self._lock = threading.Lock()
        self.load(script)

    def load(self, script: FaultScript) -> None:
        """Play another script from its beginning."""
        mine = [fault for fault in script.faults if self._simulator in fault.simulators]
        with self._lock:
            self.script = script
            self._of_calls = [f for f in mine if f.name not in PER_RECORD | PER_SUBMISSION]
            self._of_records = [f for f in mine if f.name in PER_RECORD]
            self._of_submissions = [f for f in mine if f.name in PER_SUBMISSION]
            self._ordinals: Counter[str] = Counter()
            self.played: Counter[str] = Counter()

    def call(self, operation: Operation) -> Fault | None:
        """The fault that strikes the next call of this operation."""
        with self._lock:
            ordinal = self._ordinals[operation] = self._ordinals[operation] + 1
            candidates = [fault for fault in self._of_calls if operation in fault.operations]
            return self._first(candidates, f"{operation}|{ordinal}")

    def submission(self) -> Fault | None:
        """The fault that delays the verdicts of the next submission."""
        with self._lock:
            ordinal = self._ordinals["submission"] = self._ordinals["submission"] + 1
            return self._first(self._of_submissions, str(ordinal))

    def record(self, name: FaultName, record_id: str, school: str = "") -> Fault | None:
        """The fault of this name, if it strikes this record; the school is known while records come in."""
        if not self._of_records:
            return None
        with self._lock:
            mine = [fault for fault in self._of_records if fault.name is name and fault.is_about(record_id, school)]
            return self._first(mine, record_id)

    def _first(self, candidates: Sequence[Fault], subject: str) -> Fault | None:
        for fault in candidates:
            if fault.times is not None and self.played[fault.name.value] >= fault.times:
                continue
            if fault.rate >= 1 or share_of(f"{self.script.seed}|{self._simulator}|{fault.name}|{subject}") < fault.rate:
                self.played[fault.name.value] += 1
                return fault
        return None


def share_of(subject: str) -> float:
    """A number from 0 to 1 that is always the same for a subject, and spread evenly over subjects."""
    return int.from_bytes(hashlib.blake2b(subject.encode(), digest_size=8).digest()) / _SCALE


_F = FaultName

PRESETS: dict[str, FaultScript] = {
    "none": FaultScript(),
    "demo": FaultScript(
        faults=(
            Fault(name=_F.TIMEOUT_BEFORE_COMMIT, rate=0.02),
            Fault(name=_F.TIMEOUT_AFTER_COMMIT, rate=0.03),
            Fault(name=_F.TOO_MANY_REQUESTS, rate=0.04),
            Fault(name=_F.UNAVAILABLE, rate=0.03),
            Fault(name=_F.BAD_GATEWAY_AFTER_COMMIT, rate=0.02),
            Fault(name=_F.SOAP_FAULT, rate=0.03, simulators=("ministry",)),
            Fault(name=_F.MALFORMED_AFTER_COMMIT, rate=0.02),
            Fault(name=_F.DROPPED_AFTER_COMMIT, rate=0.02),
            Fault(name=_F.TOKEN_EXPIRED, rate=0.03, simulators=("province",)),
            Fault(name=_F.SLOW_ANSWER, rate=0.05, seconds=0.5),
            Fault(name=_F.LATE_ACKNOWLEDGEMENT, rate=0.3, seconds=1.5, polls=1),
            Fault(name=_F.RECORD_REFUSED, rate=0.004),
        )
    ),
    "harsh": FaultScript(
        faults=(
            Fault(name=_F.TIMEOUT_BEFORE_COMMIT, rate=0.05, operations=("submit", "poll", "lookup")),
            Fault(name=_F.TIMEOUT_AFTER_COMMIT, rate=0.08),
            Fault(name=_F.DROPPED_BEFORE_COMMIT, rate=0.06, operations=("token", "submit", "poll", "lookup")),
            Fault(name=_F.DROPPED_AFTER_COMMIT, rate=0.08),
            Fault(name=_F.TOO_MANY_REQUESTS, rate=0.08, operations=("submit", "poll", "lookup")),
            Fault(name=_F.SERVER_ERROR, rate=0.05, operations=("token", "submit", "poll", "lookup")),
            Fault(name=_F.UNAVAILABLE, rate=0.06, retry_after_date=True),
            Fault(name=_F.BAD_GATEWAY_AFTER_COMMIT, rate=0.06),
            Fault(name=_F.SOAP_FAULT, rate=0.05, simulators=("ministry",), operations=("submit", "poll", "lookup")),
            Fault(name=_F.MALFORMED_AFTER_COMMIT, rate=0.06, operations=("submit", "poll", "lookup")),
            Fault(name=_F.TOKEN_EXPIRED, rate=0.05, simulators=("province",), operations=("submit", "lookup")),
            Fault(name=_F.SLOW_ANSWER, rate=0.1, seconds=0.5),
            Fault(name=_F.LATE_ACKNOWLEDGEMENT, rate=0.6, seconds=3, polls=2),
            Fault(name=_F.CONTRADICTORY_ACKNOWLEDGEMENT, rate=0.01),
            Fault(name=_F.RECORD_REFUSED, rate=0.01),
            Fault(name=_F.RECORD_NOT_IN_ANSWER, rate=0.01),
            Fault(name=_F.OLDER_VERSION_SILENT),
            Fault(name=_F.INVENTORY_CHANGES, rate=0.05),
        )
    ),
}
"""Scripts by the name that `--faults` takes."""
