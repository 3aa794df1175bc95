"""Writing requests as bytes, by the names, order and namespaces of the contract's own schema.

What is written is a tree, as mappings make and read XML: an element is its text, or a dict of its child elements (a
list where one repeats), of its attributes as `@name`, and of its own text as `#text`. zeep's generic serialisation of
a batch costs several times what sending it does. What is written here is the same canonical XML (a test compares both
and validates by the XSD); a destination file or a mapping that does not fit the schema is refused at the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from zeep.xsd.types.builtins import Base64Binary

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.soap import schema
from hocba_hub.mappings.document.field_rules import ITSELF, Fields, Items, Object, Rule, Value
from hocba_hub.mappings.document.paths import TEXT
from hocba_hub.mappings.values.value import as_text
from hocba_hub.model.errors import HubError

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XSD = "http://www.w3.org/2001/XMLSchema"
_XML = "http://www.w3.org/XML/1998/namespace"


class UnwritableError(HubError):
    """A value cannot be written as XML by the schema; the message names elements, never values."""


class Written(list[bytes]):
    """Elements that are written already, in parts: a batch is joined once."""


class ElementWriter:
    """Writes one element of the schema, with all below it.

    `element` is zeep's description, `prefixes` the prefix of each namespace, `declared` what it declares of them.
    """

    def __init__(
        self,
        element: Any,  # noqa: ANN401 - zeep
        prefixes: Mapping[str, str],
        declared: str = "",
        most: float = 1,
    ) -> None:
        name = element.qname
        self.name = str(name.localname)
        self._type, self._prefixes = element.type, prefixes
        self._has_parts = schema.has_parts(element.type)
        self.most = most
        """How often it may stand."""
        tag = f"{prefixes[name.namespace]}:{self.name}" if name.namespace else self.name
        self._begin, self._close = f"<{tag}{declared}".encode(), f"</{tag}>".encode()
        self._open = self._begin + b">"

    @cached_property
    def children(self) -> Mapping[str, ElementWriter]:
        """The writers of its child elements, in the order of the schema; a schema may be endless, so made when used.

        Raises:
            DestinationError: several of them repeat together.
        """
        for names in schema.repeated_groups(self._type):
            if len(names) > 1:
                raise DestinationError(f"{self.name}: the group {', '.join(names)} repeats, which is not written.")
        return {
            one.name: ElementWriter(one.element, self._prefixes, most=one.most) for one in schema.children(self._type)
        }

    @cached_property
    def _attributes(self) -> Mapping[str, tuple[bytes, bool]]:
        """`@name` → how it begins, and whether it must be there."""
        found: dict[str, tuple[bytes, bool]] = {}
        for name, one in schema.attributes(self._type):
            namespace = one.qname.namespace
            tag = f"{self._prefixes[namespace]}:{name}" if namespace else name
            found[f"@{name}"] = f" {tag}=".encode(), bool(one.required)
        return found

    @cached_property
    def _content_type(self) -> Any:  # noqa: ANN401 - zeep
        """The type of its text; None if it holds elements only."""
        return schema.text_type(self._type)

    @cached_property
    def _text(self) -> Callable[[object], bytes]:
        return _base64 if isinstance(self._content_type, Base64Binary) else _content

    @cached_property
    def _needed(self) -> frozenset[str]:
        attributes = (name for name, (_, required) in self._attributes.items() if required)
        return frozenset([*(one.name for one in schema.children(self._type) if one.least), *attributes])

    def below(self, names: Sequence[str]) -> ElementWriter:
        """The writer of an element further down.

        Raises:
            DestinationError: the schema has none.
        """
        here = self
        for name in names:
            if name not in here.children:
                raise DestinationError(f"{here.name} has no element {name}.")
            here = here.children[name]
        return here

    def check(self, fields: Fields, place: str = "") -> None:
        """Say whether a mapping that makes these fields fits the schema.

        Raises:
            DestinationError: the schema has no such element or attribute, needs one more, or has another form.
        """
        at = place or self.name
        known = {*self.children, *self._attributes, *([TEXT] if self._content_type is not None else ())}
        if unknown := sorted(set(fields) - known):
            raise DestinationError(f"{at} has no elements {', '.join(unknown)}.")
        if missing := sorted(self._needed - set(fields)):
            raise DestinationError(f"{at} needs elements {', '.join(missing)}.")
        for names in schema.choices(self._type):
            if names.isdisjoint(fields):
                raise DestinationError(f"{at} needs one of the elements {', '.join(sorted(names))}.")
        for name, child in self.children.items():
            for rule in fields.get(name, ()):
                child.check_rule(rule, f"{at}/{name}")

    def check_rule(self, rule: Rule, place: str) -> None:
        """Say whether what a rule of a mapping makes can stand here; see `check`."""
        match rule:
            case Items() if self.most <= 1:
                raise DestinationError(f"{place} stands once, and the mapping makes a list.")
            case Items():
                for entry in rule.entries:
                    if set(entry) == {ITSELF}:
                        self._check_text(place)
                    else:
                        self.check(entry, place)
            case Object():
                self.check(rule.fields, place)
            case Value() if rule.expression is None:  # an expression may make anything
                self._check_text(place)

    def _check_text(self, place: str) -> None:
        if self._content_type is None:
            raise DestinationError(f"{place} holds elements, and the mapping makes a text.")
        if self._needed:
            raise DestinationError(f"{place} needs elements {', '.join(sorted(self._needed))}.")

    def check_names(self, tree: Mapping[str, object]) -> None:
        """Say whether the schema has all that a tree names.

        Raises:
            DestinationError: it has no such element or attribute.
        """
        for name, value in tree.items():
            if name not in self.children and name not in self._attributes:
                raise DestinationError(f"{self.name} has no element {name}.")
            if isinstance(value, dict):
                self.children[name].check_names(value)

    def write(self, value: object) -> Written:
        """The element, or of a list of values one for each.

        Raises:
            UnwritableError: a value does not fit the schema, or has what XML cannot hold.
        """
        parts = Written()
        self.append(value, parts)
        return parts

    def append(self, value: object, parts: list[bytes]) -> None:
        """Write to the end of `parts`; see `write`."""
        match value:
            case Written():
                parts += value
            case list() | tuple():
                self._append_each(value, parts)
            case dict():
                self._append_tree(value, parts)
            case _:
                if self._content_type is None or self._needed:
                    raise UnwritableError(f"A value is a text, where {self.name} has elements.")
                parts += (self._open, self._text(value), self._close)

    def _append_each(self, values: Sequence[object], parts: list[bytes]) -> None:
        if self.most <= 1:
            raise UnwritableError(f"A value is a list, where {self.name} stands once.")
        if len(values) > self.most:
            raise UnwritableError(f"{self.name} may stand {self.most:.0f} times at most.")
        for value in values:
            self.append(value, parts)

    def _append_tree(self, tree: Mapping[str, Any], parts: list[bytes]) -> None:
        if not self._has_parts:
            raise UnwritableError(f"A value is an object, where {self.name} has text.")
        if missing := [name for name in self._needed if tree.get(name) is None or tree[name] == []]:
            raise UnwritableError(f"{self.name} needs {', '.join(sorted(missing))}.")
        parts.append(self._begin)
        for name, (begin, _) in self._attributes.items():
            given = tree.get(name)
            if given is not None:
                parts += (begin, quoteattr(_checked(as_text(given))).encode())
        parts.append(b">")
        if self._content_type is not None and tree.get(TEXT) is not None:
            parts.append(self._text(tree[TEXT]))
        for name, child in self.children.items():
            given = tree.get(name)
            if given is not None:
                child.append(given, parts)
        parts.append(self._close)


def body_writer(operation: Any) -> ElementWriter:  # noqa: ANN401 - zeep
    """The writer of the element in the body of an operation's request; it declares the namespaces."""
    wrapper = operation.input.body
    namespaces = {*operation.input.wsdl.types.namespaces, wrapper.qname.namespace} - {None, _XSD, _XML}
    prefixes = {namespace: f"m{number or ''}" for number, namespace in enumerate(sorted(namespaces))}
    declared = "".join(f" xmlns:{prefix}={quoteattr(name)}" for name, prefix in prefixes.items())
    return ElementWriter(wrapper, {**prefixes, _XML: "xml"}, declared)


def _checked(value: str) -> str:
    if _NOT_XML.search(value):
        raise UnwritableError("A value has a character that XML cannot hold.")
    return value


def _content(value: object) -> bytes:
    if type(value) is not str:
        if isinstance(value, dict | list | tuple):
            raise UnwritableError("A value is a list or an object, where the schema has text.")
        value = as_text(value)
    return escape(_checked(value), {"\r": "&#13;"}).encode()


def _base64(value: object) -> bytes:
    """Base64 as a mapping makes it: there is nothing in it to escape, and looking at each character would cost most."""
    if type(value) is not str or not value.isascii() or "<" in value or "&" in value:
        raise UnwritableError("A document is not in Base64.")
    return value.encode()
