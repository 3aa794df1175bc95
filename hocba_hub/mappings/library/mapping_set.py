"""The mappings and code tables in force at one moment: those that come with the hub, and what people activated.

The one choice of a version, for what vendors send and for what destinations get. A set never changes; whoever sees a
newer revision of the configuration makes a new one. Mappings are compiled when they are first used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from hocba_hub.mappings.check.source_fields import head_names
from hocba_hub.mappings.compile.compiled_mapping import CompiledMapping, compile_mapping
from hocba_hub.mappings.compile.trace import Tracer
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.library.library import Library, MappingNotFoundError, applies, load_library, shipped_library
from hocba_hub.mappings.schemas import SchemaUnknownError, load_schema, target_schema
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.tables.code_lists import ListInForce, with_list
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.tables.fills import with_all_fills, with_fills
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.activation import EVERYWHERE, ActivationScope
from hocba_hub.model.codes import CodeFill
from hocba_hub.model.errors import HubError


@dataclass(frozen=True, slots=True)
class InForce:
    """A version that somebody put in force."""

    document: Document
    scope: ActivationScope = EVERYWHERE
    id: int = 0
    """Number of the activation; 0 of a draft that is only tried."""

    def covers(self, client: str | None, school_year: str | None, on: date | None) -> bool:
        """Whether it counts here; a school year or day that is not given does not exclude it."""
        of = self.scope
        return (
            of.client in (None, client)
            and (of.school_year is None or school_year is None or of.school_year == school_year)
            and (on is None or of.valid_from is None or of.valid_from <= on)
            and (on is None or of.valid_to is None or on <= of.valid_to)
            and applies(self.document, client, school_year, on)
        )

    @property
    def narrowness(self) -> int:
        """How much it says about its client and school year."""
        return 2 * (self.scope.client is not None) + (self.scope.school_year is not None)


class MappingSet:
    """Which version of a mapping is the right one, compiled; may be used by several threads at once."""

    def __init__(  # noqa: PLR0917 - what there is, then what people made of it
        self,
        shipped: Library,
        tables: Mapping[str, Table],
        schemas: Mapping[str, TargetField] = MappingProxyType({}),
        in_force: Sequence[InForce] = (),
        fills: Sequence[CodeFill] = (),
        revision: int = 0,
        lists: Sequence[ListInForce] = (),
        stored: Callable[[str, str], Document | None] = lambda _name, _version: None,
    ) -> None:
        """`shipped` counts where nothing is activated; `schemas` are those besides the hub's own.

        `in_force` and `lists` in the order in which they were activated; `revision` is the configuration's. `stored`
        gives a version by name and number that is not in force.
        """
        self.shipped, self.schemas, self.in_force, self.revision = shipped, schemas, in_force, revision
        self._given_tables = tables
        self._given_fills = fills
        self._fills: dict[str, list[CodeFill]] = {}
        for fill in fills:
            self._fills.setdefault(fill.table, []).append(fill)
        self._given_lists = lists
        self._stored = stored
        self.tables = {name: with_all_fills(table, self._fills) for name, table in tables.items()}
        for listed in lists:
            if listed.table in self.tables:
                self.tables[listed.table] = with_list(self.tables[listed.table], listed)
        self._compiled: dict[tuple[str, tuple[int, int, int]], CompiledMapping] = {}
        self._tracers: dict[tuple[str, tuple[int, int, int]], Tracer] = {}
        self._head_names: dict[tuple[str, tuple[int, int, int]], tuple[frozenset[str], ...]] = {}

    def configured(
        self,
        in_force: Sequence[InForce],
        fills: Sequence[CodeFill],
        revision: int,
        lists: Sequence[ListInForce] = (),
        stored: Callable[[str, str], Document | None] = lambda _name, _version: None,
    ) -> MappingSet:
        """The same mappings, tables and schemas under another configuration."""
        return MappingSet(self.shipped, self._given_tables, self.schemas, in_force, fills, revision, lists, stored)

    def with_draft(self, draft: Document, scope: ActivationScope = EVERYWHERE) -> MappingSet:
        """The set as it would be if a draft were put in force now."""
        in_force = [*self.in_force, InForce(draft, scope)]
        return self.configured(in_force, self._given_fills, self.revision, self._given_lists)

    def schema(self, name: str) -> TargetField:
        """The schema that a mapping names.

        Raises:
            SchemaUnknownError: there is none.
        """
        return self.schemas.get(name) or target_schema(name)

    def versions(self, name: str) -> list[Document]:
        """Every version of a mapping that may be chosen."""
        documents = (*self.shipped.documents, *(one.document for one in self.in_force))
        return [document for document in documents if document.name == name]

    def of_version(self, name: str, version: str) -> Document:
        """A version by its number, in force or not.

        Raises:
            MappingNotFoundError: there is none.
        """
        label = f"{name} {version}"
        found = next((one for one in self.versions(name) if one.label == label), None) or self._stored(name, version)
        if found is None:
            raise MappingNotFoundError(label)
        return found

    def names(self) -> list[str]:
        """The name of every mapping."""
        documents = (*self.shipped.documents, *(one.document for one in self.in_force))
        return sorted({document.name for document in documents})

    def select(
        self,
        name: str,
        *,
        client: str | None = None,
        school_year: str | None = None,
        on: date | None = None,
    ) -> Document:
        """The version for a client's card of a school year that comes in on a day.

        Of the activated ones the narrowest, then the newest; if none counts here, the highest that comes with the hub.

        Raises:
            MappingNotFoundError: there is none.
        """
        activated = self.chosen(name, client=client, school_year=school_year, on=on)
        if activated is None:
            return self.shipped.select(name, client=client, school_year=school_year, on=on)
        return activated.document

    def chosen(
        self, name: str, *, client: str | None = None, school_year: str | None = None, on: date | None = None
    ) -> InForce | None:
        """The activation that counts there: the narrowest, then the newest; None if none does."""
        here = [one for one in self.in_force if one.document.name == name and one.covers(client, school_year, on)]
        return max(enumerate(here), key=lambda numbered: (numbered[1].narrowness, numbered[0]), default=(0, None))[1]

    def compiled(self, document: Document) -> CompiledMapping:
        """A document on the tables in force, compiled once.

        Raises:
            DocumentError: a table or code system is not there, or an expression is not JSONata.
        """
        known = self._compiled.get((document.name, document.version))
        if known is None or known.document.given is not document.given:
            known = compile_mapping(self.filled(document), self.tables)
            self._compiled[document.name, document.version] = known
        return known

    def tracer(self, document: Document) -> Tracer:
        """Tells where the fields of a record that was translated by this document came from."""
        known = self._tracers.get((document.name, document.version))
        if known is None:
            known = self._tracers[document.name, document.version] = Tracer(self.filled(document), self.tables)
        return known

    def head_names(self, document: Document) -> tuple[frozenset[str], ...]:
        """What a document's rules read of the objects that its records stand in, the outermost first."""
        known = self._head_names.get((document.name, document.version))
        if known is None:
            known = head_names(document.fields, document.source)
            self._head_names[document.name, document.version] = known
        return known

    def own_tables(self) -> dict[str, Table]:
        """The mappings' own tables as they are in force, by `mapping/table`."""
        return {f"{one.name}/{name}": table for one in self._documents() for name, table in one.tables.items()}

    def _documents(self) -> Iterator[Document]:
        """Every document, those that win last."""
        for document in (*self.shipped.documents, *(one.document for one in self.in_force)):
            yield self.filled(document)

    def filled(self, document: Document) -> Document:
        """The document, its own tables with their fills."""
        own = {
            name: with_fills(table, self._fills.get(f"{document.name}/{name}", ()))
            for name, table in document.tables.items()
        }
        return replace(document, tables=own)


class MappingFileError(HubError):
    """A mapping or a schema that lies beside the destination files cannot be read."""


@cache
def shipped_mappings() -> MappingSet:
    """Those that come with the hub."""
    return MappingSet(shipped_library(), shipped_tables())


def mappings_beside(folder: Path) -> MappingSet:
    """Those that come with the hub, with those of the folders `mappings` and `schemas` beside destination files.

    Raises:
        MappingFileError: one of them cannot be read.
    """
    shipped, own = shipped_mappings(), Library((), {})
    if (folder / "mappings").is_dir():
        own = load_library(folder / "mappings")
    for name, findings in own.wrong.items():
        raise MappingFileError(f"mappings/{name}: {findings[0].as_json()['message_en']}")
    schemas: dict[str, TargetField] = {}
    for file in sorted((folder / "schemas").glob("*.*")):
        try:
            schemas[file.stem] = load_schema(file)
        except SchemaUnknownError as error:
            raise MappingFileError(f"schemas/{error}") from error
    return MappingSet(Library((*shipped.shipped.documents, *own.documents), {}), shipped.tables, schemas)
