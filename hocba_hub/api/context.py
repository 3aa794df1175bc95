"""What every call of one process works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.files.spool import Spool
from hocba_hub.adapters.holdings import Holdings
from hocba_hub.adapters.translation import Formats, shipped_formats
from hocba_hub.api.judge import Judge
from hocba_hub.api.keyring import Keyring
from hocba_hub.api.shelf import LiveShelf
from hocba_hub.api.writer import GroupWriter
from hocba_hub.api.writing import WritingThreads
from hocba_hub.model.clock import Clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.backpressure import Backpressure
from hocba_hub.queue.usage import Usage
from hocba_hub.rules.configuration import DEFAULT, Configuration
from hocba_hub.settings import Settings
from hocba_hub.store.engine import Store

_WRITING_THREADS = 8


def _nobody(_: str) -> None:
    """Rings for nobody."""


@dataclass
class Hub:
    """The parts that `bootstrap` wires, and what the API keeps of its own beside them."""

    settings: Settings
    store: Store
    destinations: Mapping[DestinationName, Destination]
    clock: Clock
    ring: Callable[[DestinationName], None]
    """Rings a destination's doorbell; never waits, never raises."""
    formats: Formats | None = None
    """The mappings and code tables that there are without any activation; by default those that come with the hub."""

    rules: Configuration = DEFAULT
    """Which rules are applied, and how."""

    ring_file: Callable[[str], object] = _nobody
    """Rings for the import of a file; without it, whoever polls the store finds the file."""

    room: Backpressure = field(init=False)
    usage: Usage = field(init=False)
    writer: GroupWriter = field(init=False)
    keyring: Keyring = field(init=False)
    writing: WritingThreads = field(init=False)
    judge: Judge = field(init=False)
    spool: Spool = field(init=False)
    shelf: LiveShelf = field(init=False)

    def __post_init__(self) -> None:
        """Start the writer and the memories of this process."""
        self.room = Backpressure.of(self.settings, self.store)
        self.usage = Usage.of(self.settings, self.store, self.clock)
        self.writer = GroupWriter(
            self.store,
            sorted(self.destinations),
            self.clock,
            self.ring,
            lambda client_id, records, size: self.usage.note(client_id, records=records, size=size),
        )
        self.keyring = Keyring(self.store)
        self.shelf = LiveShelf(self.store, self.formats)
        formats = self.formats or shipped_formats()
        self.judge = Judge(Holdings(self.destinations.values(), formats), self.rules)
        self.spool = Spool(self.settings.files_folder)
        self.writing = WritingThreads(_WRITING_THREADS, self.settings.busy_seconds)

    def close(self) -> None:
        """Write what waits, and close the store."""
        self.writer.close()
        self.usage.close()
        self.store.close()


def hub_of_app(request: Request) -> Hub:
    """The hub that this call's application was made with."""
    hub: Hub = request.app.state.hub
    return hub


async def hub_of(request: Request) -> Hub:
    """As `hub_of_app`, for handlers to depend on: the framework would run a plain function in a thread."""
    return hub_of_app(request)
