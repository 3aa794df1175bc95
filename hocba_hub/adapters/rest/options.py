"""What a destination file says to the adapter `rest`: paths, and places in requests and answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.adapters import filling
from hocba_hub.adapters.destination import Destination, Doubt
from hocba_hub.adapters.places import SELF, Place
from hocba_hub.adapters.translation import Translations
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.reconciliation import TheirState


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResultPlaces(_Part):
    """Where in an answer its results are, and what a result has where."""

    results: Place = "results"
    record_id: Place | None = "idbanghi"
    version: Place | None = "phienban"
    code: Place = "ma"
    field: Place | None = "truong"


class ListPlaces(_Part):
    """Where in a code list its version and lines are, and what a line has where."""

    version: Place | None = "phienban"
    items: Place = "muc"
    code: Place = "ma"
    name: Place = "ten"


class InventoryPlaces(_Part):
    """How a page of the inventory is asked for, and what it and its lines have where."""

    after: str | None = "after"
    limit: str | None = "limit"
    ids: str | None = "id"
    """Names of the parameters that ask for the next page, a page's length, and single records."""
    lines: Place = "banghi"
    next: Place | None = "tiep"
    record_id: Place = "idbanghi"
    school_year: Place | None = None
    """For record ids that do not say it."""
    version: Place = "phienban"
    state: Place = "trangthai"
    sha256: Place | None = "sha256"
    states: dict[str, TheirState] = {"1": TheirState.HELD, "2": TheirState.RECALLED, "3": TheirState.REFUSED}
    """What its words for a standing mean."""


class IdentityPlaces(_Part):
    """How a page of identity results is asked for, and what it and its lines have where."""

    after: str | None = "after"
    limit: str | None = "limit"
    lines: Place = "ketqua"
    next: Place | None = "tiep"
    record_id: Place = "idbanghi"
    school_year: Place | None = None
    """For record ids that do not say it."""
    version: Place = "phienban"
    result: Place = "xacthuc"
    results: dict[str, IdentityResult] = {
        "1": IdentityResult.VERIFIED,
        "2": IdentityResult.MISMATCH,
        "3": IdentityResult.NOT_FOUND,
    }
    """What its words for a result mean."""


class RestOptions(_Part):
    """The part of a destination file that only this adapter knows."""

    mode: Literal["batch", "single"] = "batch"
    batch_path: str = "/v1/records"
    batch_field: Place = "records"
    """Where in a batch its list is; `.` where the batch is the list."""
    fields: dict[Place, filling.Field] = {}
    """What else stands in a batch, by place; see `filling`."""
    single_path: str = "/v1/record"
    record_id: Place = "idbanghi"
    """Where the record id stands in a record; compared with what each mapping makes."""
    lookup_path: str | None = "/v1/records/{record_id}"
    """Where to ask for one record; null where the destination cannot be asked."""
    standing: Place = "."
    """Where in its answer the record is."""
    reference: Place | None = None
    """Where in the answer to a batch the reference is under which verdicts come later; null where none do."""
    taken: str = "TAKEN"
    """The code that being taken under a reference stands for."""
    result_path: str | None = None
    """Where to ask for the verdicts of a `{reference}`."""
    code_list_path: str = "/v1/code-lists/{name}"
    """Where to ask for a code list."""
    inventory_path: str | None = "/v1/inventory"
    """Where to list what is held; null where it cannot be listed."""
    inventory_limit: int = Field(5_000, ge=1, le=50_000)
    """Lines of one page."""
    inventory: InventoryPlaces = InventoryPlaces()
    """How a page is asked for, where in it its lines and the next page are, and what a line has where."""
    identity_path: str | None = None
    """Where to list identity results; null where it tells none."""
    identity_limit: int = Field(1_000, ge=1, le=10_000)
    """Lines of one page."""
    identity: IdentityPlaces = IdentityPlaces()
    """How a page is asked for, where in it its lines and the place to go on are, and what a line has where."""
    not_held_code: str = "NOT_HELD"
    """The code of a 404 that says: this record is not held, this reference not known. Any other is a wrong address."""
    names: ResultPlaces = ResultPlaces()
    """Where in an answer a result has what; `field` names the field that a refusal is about. Without `version`, an
    answer is about the version that was sent or asked about."""
    list_names: ListPlaces = ListPlaces()
    """Where in a code list its version and lines are, and in a line code and name."""
    query: dict[str, str] = {}
    """Parameters of every call, such as a router's `dstcode`."""


def contradictions(
    destination: Destination, options: RestOptions, translations: Translations
) -> Iterator[tuple[bool, str]]:
    """What a file may say only together with something else: whether it is wrong, and why."""
    yield destination.authentication.scheme == "wsse-username-token", "wsse-username-token belongs to SOAP, not to REST"
    without = options.lookup_path is None and destination.in_doubt is Doubt.LOOK_UP
    yield without, "without a lookup_path, in_doubt is send-again or hold"
    names = options.names
    asks_version = options.lookup_path is None or "version" in filling.names([options.lookup_path])
    why = "a look-up that is told no version asks for one, by {version} in options.lookup_path"
    yield names.version is None and not asks_version, why
    why = "options.names.record_id is null only where options.mode is single"
    yield names.record_id is None and options.mode != "single", why
    why = "options.reference and options.result_path go together: verdicts that come later are asked for by one"
    yield (options.reference is None) != (options.result_path is None), why
    later = options.result_path is not None
    yield later and destination.acknowledgement.references != 1, "options.result_path asks about one reference"
    yield (
        later and translations.makes_several() is not None,
        "several records of a card have no verdict that comes later",
    )
    why = "where options.batch_field is ., the batch is the list, and options.fields nothing"
    yield options.batch_field == SELF and bool(options.fields), why
    for path, page, name in (
        (options.inventory_path, options.inventory, "inventory"),
        (options.identity_path, options.identity, "identity"),
    ):
        is_half = path is not None and (page.after is None) != (page.next is None)
        yield is_half, f"options.{name}.after and next go together: one leads to the other"
