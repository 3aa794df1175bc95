"""What a rule gives as far as it is known before any record is seen: types, lengths and values from the source on."""

from __future__ import annotations

from collections.abc import Mapping

from hocba_hub.mappings.check.source_fields import Names, source_fields
from hocba_hub.mappings.document.document import XML, Document
from hocba_hub.mappings.document.field_rules import Value
from hocba_hub.mappings.schemas.targets import LIST, OBJECT, TargetField
from hocba_hub.mappings.tables.code_table import Table, TableError
from hocba_hub.mappings.values.transforms import TRANSFORMS
from hocba_hub.mappings.values.value import as_text
from hocba_hub.mappings.values.value_shapes import ANY, TEXT, WHOLE, Shape


class Shapes:
    """The shapes of a document's rules; `source` is the schema of what they read, if it has one."""

    def __init__(self, document: Document, tables: Mapping[str, Table], source: TargetField | None) -> None:
        self.document = document
        self.tables = tables
        self.source = source
        self.read = source_fields(document.fields, document.source)

    def of(self, rule: Value) -> Shape:
        """What the rule gives, as far as it is known."""
        shape = Shape(TEXT if self.document.source.format == XML else ANY)
        if rule.constant is not None:
            shape = Shape.of(rule.constant)
        elif rule.expression is not None:
            shape = Shape(ANY)
        elif rule.gather is not None:
            shape = TRANSFORMS[rule.gather.name].shape(rule.gather.argument, shape)
        elif self.source is not None and (given := self.source.find(self.path(rule))) is not None:
            values = None if given.allowed is None else frozenset(given.allowed)
            shape = Shape(given.type if given.type not in (OBJECT, LIST) else ANY, given.longest, values, given.pattern)
            if values and given.longest is None:
                shape = Shape.of(*values)
            elif given.type == WHOLE and given.least is not None and given.most is not None:
                shape = Shape(WHOLE, max(len(as_text(int(end))) for end in (given.least, given.most)))
        for applied in rule.apply:
            shape = TRANSFORMS[applied.name].shape(applied.argument, shape)
        for use in rule.tables:
            try:
                results = self.tables[use.name].view(use.source, use.target, use.where).results()
            except (KeyError, TableError):
                return Shape()
            shape = Shape(TEXT) if use.otherwise == "keep" else Shape.of(*results)
        return shape

    def path(self, rule: Value) -> str:
        """The source field of a rule in the source schema's form, lists as `[]`."""
        here, path = self.source, ""
        for name in self.names(rule):
            path = f"{path}/{name}" if path else name
            here = here.below().get(name) if here else None
            if here and here.type == LIST:
                path += "[]"
        return path.removesuffix("[]")

    def names(self, rule: Value) -> Names:
        """The source field of a rule, without list positions."""
        last = rule.sources[0].names if rule.sources else ()
        places = (one.names for one in self.read if one.place == rule.place and one.is_value)
        return next((names for names in places if names[-len(last) :] == last), ()) if last else ()

    def given(self, rule: Value) -> TargetField | None:
        """The source field that a rule reads, if there is a schema and it reads one."""
        return self.source.find(self.path(rule)) if self.source is not None and rule.sources else None

    def is_given(self, rule: Value) -> bool:
        """Whether every record that fits the source's schema has the field that a rule reads.

        The field has to be required, and so has every object around it; what is required of a list's items counts only
        from the list on, since the rule is asked once for each item.

            pupil/full_name, both required      → True
            transfer/from, transfer optional    → False
            subjects[]/code, code required      → True, even if there are no subjects
        """
        here, names, sure = self.source, self.names(rule), True
        for name in names:
            here = here.below().get(name) if here else None
            sure = here is not None and (here.type == LIST or (sure and here.required))
        return bool(names) and sure
