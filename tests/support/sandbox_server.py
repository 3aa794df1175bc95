"""Both simulators in this process, on free ports, and adapters that speak to them over real loopback HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hocba_hub import adapters
from hocba_hub.adapters.destination import Destination, load_destination
from hocba_hub.adapters.protocol import Outbound, OutboundRecord
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolCode, SchoolYear, Version
from hocba_hub.sandbox import server
from hocba_hub.sandbox.faults import Fault, FaultScript
from hocba_hub.sandbox.ledger import Ledger
from hocba_hub.sandbox.ministry import UsernamePassword
from hocba_hub.sandbox.province import ClientSecret

CLIENT = ClientSecret("test-client", "test-client-secret")
ACCOUNT = UsernamePassword("test-account", "test-password")
_DESTINATIONS = Path(adapters.__file__).parent / "destinations"


@dataclass(frozen=True)
class SandboxHandle:
    """The running simulators, and everything a hub needs to reach them."""

    sandbox: server.Sandbox
    answer_seconds: float = 0.4
    """Time-out of the destinations made here: short, so that held connections do not make tests slow."""
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        environment = {
            "HOCBA_PROVINCE_URL": self.sandbox.province_url,
            "HOCBA_PROVINCE_CLIENT_ID": CLIENT.client_id,
            "HOCBA_PROVINCE_CLIENT_SECRET": CLIENT.secret,
            "HOCBA_PROVINCE_ANSWER_SECONDS": str(self.answer_seconds),
            "HOCBA_MINISTRY_URL": self.sandbox.ministry_url,
            "HOCBA_MINISTRY_USERNAME": ACCOUNT.username,
            "HOCBA_MINISTRY_PASSWORD": ACCOUNT.password,
            "HOCBA_MINISTRY_ANSWER_SECONDS": str(self.answer_seconds),
        }
        object.__setattr__(self, "environment", environment)

    @property
    def province_url(self) -> str:
        return self.sandbox.province_url

    @property
    def ministry_url(self) -> str:
        return self.sandbox.ministry_url

    @property
    def ledgers(self) -> dict[str, Ledger]:
        """The ledgers by destination name."""
        return {"province": self.sandbox.province.ledger, "ministry": self.sandbox.ministry.ledger}

    def play(self, *faults: Fault, seed: int = 0) -> None:
        """Play these faults from now on."""
        self.sandbox.play(FaultScript(seed=seed, faults=faults))

    def destination(self, name: str, **changes: Any) -> Destination:
        """The shipped destination file, pointing here, with parts of it replaced."""
        text = (_DESTINATIONS / f"{name}.yaml").read_text(encoding="utf-8")
        found = load_destination(text, self.environment, origin=name)
        merged = {
            key: getattr(found, key).model_copy(update=value)
            if key in {"authentication", "batch", "limits"}
            else {**found.options, **value}
            if key == "options"
            else value
            for key, value in changes.items()
        }
        return found.model_copy(update=merged)

    @contextmanager
    def adapter(self, name: str, environment: dict[str, str] | None = None, **changes: Any) -> Iterator[Outbound]:
        """An adapter for the destination, closed at the end."""
        made = adapter_for(self.destination(name, **changes), {**self.environment, **(environment or {})})
        try:
            yield made
        finally:
            made.close()


@contextmanager
def running_sandbox(*, answer_seconds: float = 0.4, **options: Any) -> Iterator[SandboxHandle]:
    """Both simulators with the test credentials; `options` as of `hocba_hub.sandbox.server.running_sandbox`."""
    with server.running_sandbox(CLIENT, ACCOUNT, **options) as sandbox:
        yield SandboxHandle(sandbox, answer_seconds)


def outbound_record(
    number: int = 1,
    version: int = 1,
    *,
    event: Event = Event.NEW,
    canonical: bytes = b"{}",
    document: bytes | None = None,
    card_id: str | None = None,
) -> OutboundRecord:
    """A record on its way; `number` makes its delivery id and its card id."""
    return OutboundRecord(
        delivery_id=number,
        key=CardKey(SchoolYear("2025-2026"), CardId(card_id or f"card-{number}")),
        version=Version(version),
        event=event,
        school=SchoolCode("33000123"),
        accepted_at=datetime(2026, 6, 30, 17, 30, 15, tzinfo=UTC),
        canonical=canonical,
        document=canonical if document is None else document,
        document_type="application/json",
    )
