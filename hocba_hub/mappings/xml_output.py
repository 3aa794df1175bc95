"""Write a translated record as XML: elements in the order of the target schema, lists as repeated elements."""

from __future__ import annotations

from lxml import etree

from hocba_hub.mappings.document.document import Target
from hocba_hub.mappings.document.paths import TEXT
from hocba_hub.mappings.schemas.targets import LIST, TargetField
from hocba_hub.mappings.values.value import Raw, as_text


def xml_element(output: Raw, target: Target, schema: TargetField | None = None) -> etree._Element:
    """The record as an element.

    Keys that begin with `@` become attributes, `#text` the element's text. With a schema, elements come in its order
    and those that it does not name come last; without one, in the order of the rules.

    Raises:
        ValueError: a name is no XML name, or a text holds a character that XML cannot.
    """
    namespace = f"{{{target.namespace}}}" if target.namespace else ""
    nsmap: Raw = {None: target.namespace} if target.namespace else None
    root = etree.Element(namespace + target.root, nsmap=nsmap)
    _fill(root, output, namespace, schema or TargetField(open=True))
    return root


def _fill(element: etree._Element, value: Raw, namespace: str, schema: TargetField) -> None:
    if not isinstance(value, dict):
        element.text = as_text(value)
        return
    below = schema.below()
    order = {name: place for place, name in enumerate(below)}
    for name in sorted(value, key=lambda key: order.get(key, len(order))):
        child = value[name]
        if name == TEXT:
            element.text = as_text(child)
        elif name.startswith("@"):
            element.set(name.removeprefix("@"), as_text(child))
        else:
            field = below.get(name, TargetField(open=True))
            for one in child if isinstance(child, list) else [child]:
                inner = field.item if field.type == LIST and field.item else field
                _fill(etree.SubElement(element, namespace + name), one, namespace, inner)
