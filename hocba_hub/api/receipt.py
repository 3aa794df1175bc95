"""The receipt: what a client learns of each record of its submission."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hocba_hub.intake.submission import Submitted
from hocba_hub.store.decide import RecordResult, submission_state


def moment(milliseconds: int) -> str:
    """A time as the API shows it: RFC 3339, UTC, milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_json(result: RecordResult) -> dict[str, Any]:
    """One record's entry."""
    entry: dict[str, Any] = {"position": result.position, "status": result.status, "sha256": result.sha256.hex()}
    if result.key is not None:
        entry["record_id"] = result.key.record_id()
        entry["school_year"], entry["card_id"] = result.key
    if result.version is not None:
        entry["version"] = result.version
    if result.event is not None:
        entry["event"] = result.event.value
    if result.findings:
        entry["findings"] = [finding.as_json() for finding in result.findings]
    return entry


def receipt(submitted: Submitted) -> dict[str, Any]:
    """The whole receipt."""
    results = submitted.results
    rejected = sum(result.status == "rejected" for result in results)
    accepted = len(results) - rejected
    return {
        "submission_id": submitted.submission.id,
        "state": submission_state(accepted, rejected),
        "received_at": moment(submitted.submission.received_at),
        "bytes": submitted.size,
        "sha256": submitted.sha256,
        "accepted": accepted,
        "rejected": rejected,
        "records": [record_json(result) for result in results],
    }
