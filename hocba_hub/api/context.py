"""What every call of one process works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request

from hocba_hub.adapters.destination import Destination
from hocba_hub.api.http.identity_provider import IdentityProvider
from hocba_hub.api.http.key_cache import KeyCache
from hocba_hub.api.http.writing_threads import WritingThreads
from hocba_hub.intake.backpressure import Backpressure
from hocba_hub.intake.files.spool import Spool
from hocba_hub.intake.group_commit import GroupCommit
from hocba_hub.intake.parts import IntakeParts
from hocba_hub.intake.recheck import Recheck
from hocba_hub.intake.submission import Submissions
from hocba_hub.model.clock import Clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import IntakeWindows
from hocba_hub.monitoring.exporter import Exposition
from hocba_hub.monitoring.presence import Presence
from hocba_hub.queue.traces import DeliveryTraces
from hocba_hub.queue.usage import Usage
from hocba_hub.rules.configuration import Configuration
from hocba_hub.settings import Settings
from hocba_hub.store.credentials import DigestSecret
from hocba_hub.store.engine import Store


@dataclass
class Hub:
    """The parts that `bootstrap.hub` makes, each shared by all calls."""

    settings: Settings
    store: Store
    destinations: Mapping[DestinationName, Destination]
    misfits: Mapping[str, str]
    """Those of them that cannot be called as they are described, each with the reason."""
    clock: Clock
    ring: Callable[[DestinationName], None]
    """Rings for the deliveries to a destination; never waits, never raises."""
    ring_file: Callable[[str], object]
    """Rings for the import of a file; without Redis, whoever polls the store finds the file."""
    rules: Configuration
    """Which rules are applied, and how."""
    windows: IntakeWindows
    """When schools may send cards in."""
    intake: IntakeParts
    group: GroupCommit
    submissions: Submissions
    recheck: Recheck
    spool: Spool
    backpressure: Backpressure
    usage: Usage
    keys: KeyCache
    digest_secrets: Sequence[DigestSecret]
    """Of WS-Security, the newest first; none where digests are switched off."""
    writing: WritingThreads
    traces: DeliveryTraces | None
    """What makes spans of deliveries; None where no traces are kept."""
    metrics: Exposition
    """What /metrics answers."""
    identity_provider: IdentityProvider | None = None
    """Where people may sign in to the web pages, beside passwords and keys."""
    presence: Presence | None = None
    """Of the process; None where nobody is to be told of it, as in a test."""

    def close(self) -> None:
        """Write what waits, and close the store."""
        self.group.close()
        self.usage.close()
        if self.presence is not None:
            self.presence.close()
        self.store.close()


def hub_of_app(request: Request) -> Hub:
    """The hub that this call's application was made with."""
    hub: Hub = request.app.state.hub
    return hub


async def hub_of(request: Request) -> Hub:
    """As `hub_of_app`, for handlers to depend on: the framework would run a plain function in a thread."""
    return hub_of_app(request)
