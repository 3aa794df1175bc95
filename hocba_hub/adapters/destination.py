"""The destination file: everything the hub knows of one outside system, as YAML.

A destination that speaks REST or SOAP the way our adapters can is added by a file alone. Addresses may use
`${NAME}` and `${NAME:-default}` of the environment; secrets are only named, never written here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hocba_hub.model.delivery import Meaning
from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import RECORD_IDS, RecordIds
from hocba_hub.model.windows import Maintenance, Window, maintained, maintained_until

_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")

Seconds = Annotated[float, Field(gt=0)]
MappingUse = Literal[
    "card",
    "primary",
    "secondary",
    "continuing",
    "recall",
    "recall-primary",
    "recall-secondary",
    "recall-continuing",
]


class DestinationError(HubError):
    """A destination file is not usable."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Part):
    """The destination's name for people."""

    vi: str
    en: str


class Authentication(_Part):
    """How we prove who we are. Fields ending in `_env` name environment variables that hold the secret."""

    scheme: Literal["none", "oauth2-client-credentials", "static-header", "basic", "wsse-username-token"] = "none"
    token_path: str = "/token"  # noqa: S105 - a path, not a token
    scope: str | None = None
    username_env: str | None = None
    password_env: str | None = None
    header: str | None = None
    wsse_password: Literal["digest", "text"] = "digest"  # noqa: S105 - the kind, not a password


class Batch(_Part):
    """How much one call may carry."""

    records: int = Field(200, ge=1, le=5000)
    bytes: int = Field(8_000_000, ge=10_000)


class Limits(_Part):
    """How much the destination can bear."""

    concurrency: int = Field(4, ge=1, le=64)
    """Calls under way at once, over all workers; the engine adapts it down when the destination struggles."""
    records_per_second: float | None = Field(None, gt=0)
    connect_seconds: Seconds = 5
    answer_seconds: Seconds = 30


class Breaker(_Part):
    """When to stop asking a destination that does not answer."""

    failures: int = Field(5, ge=1)
    """Calls that failed one after the other until it opens."""
    open_seconds: Seconds = 30
    """How long it stays open before one probe."""


class Retry(_Part):
    """Retry by window, not by count (design §3)."""

    schedule_seconds: tuple[Seconds, ...] = (10, 60, 300, 900, 3600)
    then_every_seconds: Seconds = 10_800
    window_seconds: Seconds = 259_200
    jitter: float = Field(0.2, ge=0, le=0.5)
    longest_retry_after_seconds: Seconds = 21_600
    """A longer `Retry-After` is cut to this."""
    held_seconds: Seconds = 300
    """How long a delivery is held before it is tried again after a missing precondition."""
    lookup_seconds: tuple[Seconds, ...] = (1, 5, 30, 300, 900)
    """Waits between look-ups of a delivery in doubt; the last one repeats."""


class Acknowledgement(_Part):
    """How verdicts that come later are asked for."""

    poll_seconds: tuple[Seconds, ...] = (1, 2, 5, 15, 60, 300, 900)
    """Waits between polls of one reference; the last one repeats until there is a verdict. The first one grows to the
    time that the destination's verdicts usually take."""
    references: int = Field(1, ge=1, le=100)
    """Most references that one poll may ask about, where the contract allows several."""
    overdue_seconds: Seconds = 1_200
    """In which a verdict should have come: later it is late, and a missing one is looked up."""
    objective: float = Field(0.995, gt=0, le=1)
    """Share of the verdicts that should come in that time."""


class CodeListUse(_Part):
    """Which code table a list of the destination's is for."""

    table: str
    code: str
    """Code system of the table that the list's codes are of."""
    name: str = "name"
    """Code system of the table that the list's names are of."""
    activate: Literal["additions", "by-hand"] = "additions"
    """Whether a version that only adds counts at once."""


class Doubt(StrEnum):
    """What is done with a record that may have been sent, and of which no answer came."""

    LOOK_UP = "look-up"
    """The destination is asked whether it holds it."""
    SEND_AGAIN = "send-again"
    """It is sent again: only where the destination takes the same record id and version twice without harm."""
    HOLD = "hold"
    """It waits for a person, who finds out otherwise."""


Options = TypeVar("Options", bound=BaseModel)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _record_ids(form: object) -> RecordIds:
    if isinstance(form, RecordIds):
        return form
    if not isinstance(form, str):
        raise ValueError("must be a text such as {school_year}/{card_id}")  # noqa: TRY004 - what pydantic reports
    return RecordIds(form)


class Destination(_Part):
    """One outside system, described by configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    title: Title
    adapter: str
    """Name of the adapter module that speaks to it (`rest`, `soap`)."""
    address: str
    enabled: bool = True
    authentication: Authentication = Authentication()
    batch: Batch = Batch()
    limits: Limits = Limits()
    breaker: Breaker = Breaker()
    retry: Retry = Retry()
    acknowledgement: Acknowledgement = Acknowledgement()
    windows: tuple[Window, ...] = ()
    """When it takes cards of which level and school year; without any, always."""
    outside_windows: Literal["hold", "send"] = "hold"
    """What is done with cards that are to go at another time: they wait, unless they are sent all the same."""
    maintenance: tuple[Maintenance, ...] = ()
    """When it is not to be called at all; nothing burns an attempt, and no retry window runs."""
    in_doubt: Doubt = Doubt.LOOK_UP
    """What is done with a record that may have been sent; without a look-up it is `send-again` or `hold`."""
    record_ids: Annotated[RecordIds, BeforeValidator(_record_ids)] = RECORD_IDS
    """The form of its record ids: what a card is called there."""
    mappings: dict[MappingUse, str] = {}
    """Which mapping writes a card of which kind (`card`: of any other), and its recall."""
    code_lists: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")], CodeListUse] = {}
    """Its code lists, as it calls them, and the code tables that they are for."""
    codes: dict[str, Meaning] = {}
    """The destination's own codes, and ours where it differs from the default, to what they mean."""
    ca_file: Path | None = None
    """Certificates to trust besides the system's; verification is never switched off."""
    certificate_file: Path | None = None
    """Our own certificate (PEM), for a destination that knows its callers by theirs (mutual TLS)."""
    key_file: Path | None = None
    """Its private key, without a password; without it, the key stands in `certificate_file` too."""
    folder: Path = Field(Path(), exclude=True)
    """Where the file lies: relative paths in it count from there."""
    options: dict[str, Any] = {}
    """What only this adapter knows: paths, operations, where in the answer a verdict stands."""

    def maintained_until(self, now: int) -> int | None:
        """When the maintenance that is under way there ends (milliseconds); None if there is none."""
        return maintained_until(self.maintenance, now) if self.maintenance else None

    def maintained(self, since: int, until: int) -> int:
        """For how many milliseconds of a span it was maintained."""
        return maintained(self.maintenance, since, until) if self.maintenance else 0

    @property
    def plain_http_host(self) -> str | None:
        """The host that is called without TLS, over a network where others may listen; None if there is none."""
        parts = urlsplit(self.address)
        is_open = parts.scheme == "http" and parts.hostname not in _LOOPBACK
        return parts.hostname if is_open else None


def options_of(destination: Destination, model: type[Options]) -> Options:
    """The part of a destination file that only its adapter knows.

    Raises:
        DestinationError: it has an unknown, missing or wrong option.
    """
    try:
        return model.model_validate(destination.options)
    except ValidationError as error:
        places = ", ".join(".".join(str(step) for step in e["loc"]) for e in error.errors())
        raise DestinationError(f"{destination.name}: options not usable: {places}.") from error


def refuse(destination: Destination, contradictions: Iterable[tuple[bool, str]]) -> None:
    """Do nothing if of these possible contradictions none is true.

    Raises:
        DestinationError: with what is the matter.
    """
    for is_true, why in contradictions:
        if is_true:
            raise DestinationError(f"{destination.name}: {why}.")


def load_destination(
    text: str, environment: Mapping[str, str] | None = None, *, origin: str = "", folder: Path = Path()
) -> Destination:
    """Read one destination file, which lies in `folder`.

    Raises:
        DestinationError: it is not YAML, has an unknown or missing field, or names a variable that is not set.
    """
    known = os.environ if environment is None else environment

    def variable(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        value = known.get(name, default)
        if value is None:
            raise DestinationError(f"{origin}: the environment variable {name} is not set and has no default.")
        return value

    try:
        document = yaml.safe_load(_VARIABLE.sub(variable, text))
        if isinstance(document, dict) and "folder" in document:
            raise DestinationError(f"{origin}: folder: Extra inputs are not permitted")
        read = Destination.model_validate(document)
        files = {name: getattr(read, name) for name in ("ca_file", "certificate_file", "key_file")}
        own = {name: None if file is None else folder / file for name, file in files.items()}
        return read.model_copy(update={"folder": folder, **own})
    except yaml.YAMLError as error:
        raise DestinationError(f"{origin}: not readable as YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(str(step) for step in e['loc'])}: {e['msg']}" for e in error.errors())
        raise DestinationError(f"{origin}: {problems}") from error


def load_destinations(folder: Path, environment: Mapping[str, str] | None = None) -> dict[str, Destination]:
    """Every enabled destination of a folder of `*.yaml` files, by name.

    Raises:
        DestinationError: there is no such folder, a file is not usable, or two files name the same destination.
    """
    if not folder.is_dir():
        raise DestinationError(f"There is no folder {folder.absolute()}.")
    found: dict[str, Destination] = {}
    for path in sorted(folder.glob("*.yaml")):
        destination = load_destination(path.read_text(encoding="utf-8"), environment, origin=path.name, folder=folder)
        if destination.name in found:
            raise DestinationError(f"{path.name}: the destination {destination.name} is described twice.")
        if destination.enabled:
            found[destination.name] = destination
    return found
