"""The portal's pages, over the very functions that answer clients' calls."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Annotated

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from hocba_hub.api.client import files, status
from hocba_hub.api.client.files import FileId
from hocba_hub.api.client.report_cards import checked, source_of
from hocba_hub.api.console.live import follow
from hocba_hub.api.console.oidc import finish_oidc, start_oidc
from hocba_hub.api.console.portal.visit import ClientVisit, Posted, Visiting
from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to, set_session, sign_out_of
from hocba_hub.api.console.signing_in import To, safe
from hocba_hub.api.console.visit import field, read_form
from hocba_hub.api.file_results import UNDER_WAY, file_shape
from hocba_hub.api.http.body import Body, BodyLimits
from hocba_hub.api.http.pages import Cursor, cursor, place
from hocba_hub.api.http.parameters import SchoolQuery, SubmissionId, SubmissionOptions, YearQuery
from hocba_hub.api.operator.callers import TheHub
from hocba_hub.api.operator.drafts import findings_shown
from hocba_hub.api.operator.mapping_shapes import TriedRecord
from hocba_hub.api.operator.support import SubmissionEntry
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.intake.profiles import profile_names
from hocba_hub.intake.trial import Trial
from hocba_hub.mappings.document.document import ROWS
from hocba_hub.model.clock import DAY_MS, vietnam_day
from hocba_hub.store import credentials, failures, schools, search, sessions
from hocba_hub.store import files as stored_files
from hocba_hub.store.access import Client, Owner, find_client, identify, key_id_of
from hocba_hub.store.sessions import Way

router = console_router()

_HOME, _OIDC_BACK = "/portal", "/portal/oidc/return"
_PAGE, _SHOWN, _SOME = 50, 10, 100
_ERROR_DAYS = 30
_SHEETS = frozenset({".xlsx", ".csv"})


@router.get("/portal/sign-in")
async def sign_in_page(request: Request, hub: TheHub, to: To = _HOME) -> Response:
    """Which system are you?"""
    return _sign_in(request, hub.identity_provider is not None, safe(to, _HOME))


def _sign_in(request: Request, has_oidc: bool, to: str, code: int = 200) -> Response:  # noqa: FBT001 - two facts
    return render(request, "portal_sign_in.html", code, to=to, failed=code != 200, has_oidc=has_oidc)  # noqa: PLR2004


@router.post("/portal/sign-in")
async def sign_in(request: Request, hub: TheHub) -> Response:
    """A session by the client's key, which ends with the key."""
    form = await read_form(request)
    token = await run_in_threadpool(_opened_by_key, hub, field(form, "key"))
    to = safe(field(form, "to"), _HOME)
    if token is None:
        return _sign_in(request, hub.identity_provider is not None, to, 401)
    response = go_to(to)
    set_session(request, response, token)
    return response


def _opened_by_key(hub: TheHub, key: str) -> str | None:
    now = hub.clock()
    with hub.store.read() as connection:
        found = identify(connection, key, now=now)
    if not isinstance(found, Client):
        return None
    with hub.store.write() as connection:
        return sessions.open_session(connection, Owner.CLIENT, found.id, Way.KEY, now, key_id_of(key))


@router.get("/portal/oidc/start")
def oidc_start(hub: TheHub, to: To = _HOME) -> Response:
    """To the identity provider."""
    return start_oidc(hub, _OIDC_BACK, safe(to, _HOME))


@router.get("/portal/oidc/return")
def oidc_return(request: Request, hub: TheHub) -> Response:
    """Back from the identity provider: the session of the client that it names."""
    claims, to = finish_oidc(request, hub, _OIDC_BACK)
    name = claims.get(hub.settings.oidc_client_claim)
    with hub.store.write() as connection:
        client = find_client(connection, name) if isinstance(name, str) else None
        if client is None:
            raise ProblemError("console.identity-unknown")
        token = sessions.open_session(connection, Owner.CLIENT, client.id, Way.OIDC, hub.clock())
    response = go_to(safe(to, _HOME))
    set_session(request, response, token)
    return response


@router.post("/portal/sign-out")
def sign_out(request: Request, visit: Visiting, _: Posted) -> Response:
    """End this session."""
    return sign_out_of(request, visit.session)


@router.get("/portal")
def home(visit: Visiting) -> Response:
    """What came of what this client sent lately."""
    hub, client = visit.hub, visit.client
    since = hub.clock() - _ERROR_DAYS * DAY_MS
    with hub.store.read() as connection:
        sent = search.submissions_listed(connection, client_id=client.id, limit=_SHOWN)
        newest = stored_files.newest(connection, client_id=client.id, limit=_SHOWN)
        counts = schools.open_counts(connection, client.schools)
        groups = failures.of_client(connection, client.id, since=since, limit=_SHOWN)
    return render(
        visit.request, "portal_home.html", visit=visit, submissions=sent,
        files=[file_shape(one, hub.spool) for one in newest], counts=counts[:_SHOWN],
        open_cards=sum(one.cards for one in counts), groups=groups,
    )  # fmt: skip


@router.get("/portal/submissions")
def submissions(visit: Visiting, after: Cursor = None) -> Response:
    """The client's submissions, the newest first."""
    seen = place(after, str)
    with visit.hub.store.read() as connection:
        found = search.submissions_listed(
            connection, client_id=visit.client.id, before=seen[0] if seen else None, limit=_PAGE + 1
        )
    return render(
        visit.request, "portal_submissions.html", visit=visit,
        items=[SubmissionEntry.model_validate(one) for one in found[:_PAGE]],
        next=cursor((found[_PAGE - 1].id,)) if len(found) > _PAGE else None,
    )  # fmt: skip


@router.get("/portal/submissions/{submission_id}")
def submission(visit: Visiting, submission_id: SubmissionId, after: Cursor = None) -> Response:
    """One of them, record by record."""
    found = status.submission(submission_id, visit.client, visit.hub, after=after, limit=_PAGE)
    return render(visit.request, "portal_submission.html", visit=visit, one=found)


@router.get("/portal/files")
def file_list(visit: Visiting, after: Cursor = None) -> Response:
    """The client's files, the newest first."""
    seen = place(after, str)
    with visit.hub.store.read() as connection:
        found = stored_files.newest(
            connection, client_id=visit.client.id, before=seen[0] if seen else None, limit=_PAGE + 1
        )
    return render(
        visit.request, "portal_files.html", visit=visit,
        items=[file_shape(one, visit.hub.spool) for one in found[:_PAGE]],
        next=cursor((found[_PAGE - 1].id,)) if len(found) > _PAGE else None,
    )  # fmt: skip


@router.get("/portal/files/{file_id}")
def file(visit: Visiting, file_id: FileId) -> Response:
    """One of them."""
    found = files.status(file_id, visit.client, visit.hub)
    return render(visit.request, "portal_file.html", visit=visit, one=found, is_live=found.state in UNDER_WAY)


@router.get("/portal/files/{file_id}/live")
def file_live(visit: Visiting, file_id: FileId) -> Response:
    """How far it is, as it goes on."""
    return follow(
        visit,
        "file_live.html",
        lambda: files.status(file_id, visit.client, visit.hub),
        lambda one: one.state not in UNDER_WAY,
    )


@router.get("/portal/files/{file_id}/workbook")
def workbook(visit: Visiting, file_id: FileId) -> Response:
    """Its own workbook, with what was found in its cells."""
    return files.workbook(file_id, visit.client, visit.hub)


@router.get("/portal/findings")
def findings(
    visit: Visiting, school: SchoolQuery = None, school_year: YearQuery = None, after: Cursor = None
) -> Response:
    """What its schools have still to mend."""
    if school is None:
        with visit.hub.store.read() as connection:
            counts = schools.open_counts(connection, visit.client.schools)
        return render(visit.request, "portal_findings.html", visit=visit, counts=counts)
    page = status.findings(
        client=visit.client, hub=visit.hub, school=school, school_year=school_year, after=after, limit=_SOME
    )
    return render(visit.request, "portal_school.html", visit=visit, page=page, school=school)


@router.get("/portal/errors")
def errors(visit: Visiting) -> Response:
    """What failed of this client in the last month, cause by cause."""
    since = visit.hub.clock() - _ERROR_DAYS * DAY_MS
    with visit.hub.store.read() as connection:
        groups = failures.of_client(connection, visit.client.id, since=since, limit=_SOME)
    return render(visit.request, "portal_errors.html", visit=visit, groups=groups, days=_ERROR_DAYS)


@router.get("/portal/keys")
def keys(visit: Visiting) -> Response:
    """How this client is known."""
    with visit.hub.store.read() as connection:
        held = credentials.credentials(connection, visit.client.name)
    return render(visit.request, "portal_keys.html", visit=visit, held=held, now=visit.hub.clock())


@router.get("/portal/validate")
def validate_page(visit: Visiting, profile: Annotated[str, Query(max_length=61)] = "") -> Response:
    """Where a sample is pasted, or a file chosen."""
    return render(visit.request, "portal_validate.html", visit=visit, profiles=_profiles(visit), profile=profile)


def _profiles(visit: ClientVisit) -> list[str]:
    hub = visit.hub
    return profile_names(hub.intake.mappings.current(), visit.client.name, vietnam_day(hub.clock()))


@router.post("/portal/validate")
async def validate(visit: Visiting, form: Posted) -> Response:
    """What would become of a sample if it were sent; nothing is stored."""
    upload, sample = form.get("file"), str(form.get("sample", "")).strip()
    profile, name = field(form, "profile") or None, ""
    content = sample.encode()
    if isinstance(upload, UploadFile) and upload.filename:
        content, name = await upload.read(), upload.filename
    if not content:
        raise ProblemError("request.malformed")
    suffix = Path(name).suffix.lower()
    if suffix in _SHEETS:
        records = await run_in_threadpool(_sheet, visit, content, suffix, profile)
        return render(visit.request, "portal_validated.html", visit=visit, records=records, is_sheet=True)
    hub, client = visit.hub, visit.client
    limits = BodyLimits(hub.settings.submission_bytes, hub.settings.record_bytes, _SOME, hub.settings.gzip_ratio)
    options = SubmissionOptions(profile=profile)
    source = await source_of(Body(_once(content), gzip=False, limits=limits), _sent_as(content), hub, client, options)
    found = await checked(hub, client, source, options)
    records = [
        TriedRecord(position=one["position"], accepted=one["status"] != "rejected", findings=one.get("findings", []))
        for one in found["records"]
    ]
    return render(visit.request, "portal_validated.html", visit=visit, records=records, is_sheet=False)


def _sent_as(content: bytes) -> str:
    """The media type that a client would name: XML, one JSON document, or JSON line by line."""
    start = content.lstrip()
    if start.startswith(b"<"):
        return "application/xml"
    lines = [line for line in start.splitlines() if line.strip()]
    is_lines = len(lines) > 1 and all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)
    return "application/x-ndjson" if is_lines else "application/json"


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _sheet(visit: ClientVisit, content: bytes, suffix: str, profile: str | None) -> list[TriedRecord]:
    """The records of a workbook; that a school is the client's is not looked at before it is really sent."""
    hub = visit.hub
    mappings, day = hub.intake.mappings.current(), vietnam_day(hub.clock())
    chosen = hub.intake.profile(mappings, visit.client, day, profile)
    if chosen.document is None or chosen.document.source.format != ROWS:
        raise ProblemError("file.profile")
    trial = Trial(mappings.filled(chosen.document), mappings, hub.intake.checker, hub.settings.record_bytes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sample{suffix}"
        path.write_bytes(content)
        judged = list(islice(trial.of_file(path), _SOME))
    return [
        TriedRecord(position=one.position, accepted=one.accepted, findings=findings_shown(one.findings))
        for one in judged
    ]
