"""How a destination's later verdicts come, against its objective."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.acknowledgements import undecided
from hocba_hub.store.counters import sums
from hocba_hub.store.destination_health import acks_overdue
from hocba_hub.store.tables import destinations


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How the verdicts of one destination come."""

    destination: str
    awaited: int
    overdue: int
    """Of them, those past the objective; counted up to 10,000."""
    in_time: int
    """Verdicts since the beginning."""
    late: int
    objective: float
    objective_seconds: float
    usual_seconds: float | None
    undecided: int
    """Contradictory verdicts that wait for a person."""

    @property
    def share(self) -> float | None:
        """The share in time, of all whose time is over or that came; None while there were none."""
        due = self.in_time + self.late + self.overdue
        return self.in_time / due if due else None


def timeliness(
    connection: Connection, name: DestinationName, *, overdue_seconds: float, objective: float, now: int
) -> Timeliness:
    """How a destination's verdicts come; `objective` is the share that should be there after `overdue_seconds`."""
    counted = sums(connection)
    verdicts, depth = counted.get("acknowledgements", {}), counted.get("depth", {})
    usual = select(destinations.c.verdict_seconds).where(destinations.c.name == name)
    return Timeliness(
        destination=name,
        awaited=int(depth.get((name, DeliveryState.AWAITING_ACK), 0)),
        overdue=acks_overdue(connection, name, now - round(overdue_seconds * 1000)),
        in_time=int(verdicts.get((name, "in_time"), 0)),
        late=int(verdicts.get((name, "late"), 0)),
        objective=objective,
        objective_seconds=overdue_seconds,
        usual_seconds=connection.execute(usual).scalar(),
        undecided=undecided(connection, name),
    )
