"""The pages, each with what can be done on it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from hocba_hub.api.console import signing_in
from hocba_hub.api.console.pages import (
    audit,
    cards,
    clients,
    codes,
    deadlines,
    deliveries,
    destinations,
    failure_groups,
    files,
    findings,
    jobs,
    mappings,
    operators,
    overview,
    reconciliation,
    replays,
    submissions,
    unknown,
)
from hocba_hub.api.console.portal import pages as portal

ROUTERS: Sequence[APIRouter] = (
    signing_in.router,
    overview.router,
    deadlines.router,
    findings.router,
    failure_groups.router,
    deliveries.router,
    replays.router,
    destinations.router,
    reconciliation.router,
    cards.router,
    submissions.router,
    files.router,
    mappings.router,
    codes.router,
    jobs.router,
    clients.router,
    operators.router,
    audit.router,
    portal.router,
    unknown.router,
)
