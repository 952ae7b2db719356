"""The shape of what an operation takes and gives, as plain data: zeep's types, seen once each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from landbridge.net._wsdl_facets import Facets

Kind = Literal["string", "integer", "decimal", "boolean", "date", "datetime", "time", "mapping", "any"]
TEXT = "_value_1"
"""The key of an element's own text beside its attributes, as zeep names it."""
_XSD = "http://www.w3.org/2001/XMLSchema"


@dataclass(frozen=True, slots=True)
class SoapField:
    """One element or attribute of a type. `group` is where zeep wants it if a repeated choice or sequence holds it."""

    name: str
    type: SoapType
    required: bool = False
    nillable: bool = False
    repeated: bool = False
    attribute: bool = False
    group: str = ""


@dataclass(eq=False)
class SoapType:
    """A type of the WSDL: simple (`kind`, `length`, `codes`) or complex (`fields`, by the name that a row has).

    `open` says that elements may stand there that the WSDL does not name.
    """

    name: str
    kind: Kind
    length: int | None = None
    codes: tuple[str, ...] = ()
    _source: Any = field(default=None, repr=False)
    _types: Types | None = field(default=None, repr=False)

    @cached_property
    def fields(self) -> Mapping[str, SoapField]:
        """What stands inside; empty for a simple type."""
        if self._types is None or self.kind != "mapping":
            return {}
        return self._types.fields_of(self._source)

    @cached_property
    def elements(self) -> Mapping[str, SoapField]:
        """The child elements among the fields, by their local name."""
        return {each.name: each for each in self.fields.values() if not each.attribute}

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """The key of each attribute, by its local name."""
        return {each.name: key for key, each in self.fields.items() if each.attribute}

    @cached_property
    def open(self) -> bool:
        """Whether elements may stand there that the WSDL does not name."""
        return self.kind == "any" or (self._types is not None and self._types.is_open(self._source))

    @property
    def source(self) -> Any:
        """zeep's own type."""
        return self._source


class Types:
    """zeep's types as ours, each made once."""

    def __init__(self, schema: Any, facets: Facets) -> None:
        from zeep import xsd

        self._schema, self._facets, self._xsd = schema, facets, xsd
        self._named: dict[str, Any] | None = None
        self._made: dict[int, tuple[Any, SoapType]] = {}
        self._kinds: tuple[tuple[Any, Kind], ...] = (
            (xsd.Boolean, "boolean"), (xsd.Integer, "integer"), (xsd.Decimal, "decimal"), (xsd.Float, "decimal"),
            (xsd.Double, "decimal"), (xsd.DateTime, "datetime"), (xsd.Date, "date"), (xsd.Time, "time"),
        )  # fmt: skip  # an Integer of XSD is a Decimal to zeep: the order counts

    def named(self, name: str) -> SoapType | None:
        """A global type by its local name, None if there is none."""
        if self._named is None:
            self._named = {each.qname.localname: each for each in self._schema.types if each.qname is not None}
        found = self._named.get(name)
        return None if found is None else self.of(found)

    def of(self, source: Any, owner: str = "", field_name: str = "") -> SoapType:
        """Our view of one of zeep's types; `owner` and `field_name` say where a nameless one was written."""
        held = self._made.get(id(source))
        if held is None:
            held = self._made[id(source)] = (source, self._make(source, owner, field_name))
        return held[1]

    def _make(self, source: Any, owner: str, field_name: str) -> SoapType:
        if source is None:
            return SoapType("", "any")
        qname = source.qname
        name = qname.localname if qname is not None else ""
        if isinstance(source, self._xsd.ComplexType):
            return SoapType(name, "mapping", _source=source, _types=self)
        if type(source) is self._xsd.AnyType or not isinstance(source, self._xsd.AnySimpleType):
            return SoapType(name or "anyType", "any")
        kind: Kind = next((kind for known, kind in self._kinds if isinstance(source, known)), "string")
        namespace = qname.namespace or "" if qname is not None else ""
        if namespace == _XSD:
            return SoapType(name, kind)
        length, codes = self._facets.of(namespace, name, owner, field_name)
        return SoapType(name, kind, length, codes)

    def fields_of(self, source: Any) -> dict[str, SoapField]:
        """The elements and attributes of a complex type."""
        owner = source.qname.localname if source.qname is not None else ""
        found: dict[str, SoapField] = {}
        for name, element, optional, repeated, group in _elements(source.elements_nested, self._xsd):
            known = found.get(name)
            inner = self.of(element.type, owner, element.name)
            again = known is not None or repeated or element.accepts_multiple
            needed = not optional and element.min_occurs > 0 and known is None
            found[name] = SoapField(name, inner, needed, bool(element.nillable), again, group=group)
        if TEXT not in found and (text := self._text(source)) is not None:
            found = {TEXT: SoapField(TEXT, text)}
        for key, attribute in source.attributes:
            if isinstance(attribute, self._xsd.Attribute) and attribute.name:
                inner = self.of(attribute.type, owner, attribute.name)
                found[key] = SoapField(attribute.name, inner, bool(attribute.required), attribute=True)
        return found

    def _text(self, source: Any) -> SoapType | None:
        """The type of the text of an element that has attributes and text."""
        content = source._element
        if isinstance(content, self._xsd.Element) and isinstance(content.type, self._xsd.AnySimpleType):
            return self.of(content.type)
        return None

    def is_open(self, source: Any) -> bool:
        """Whether a complex type holds xsd:any."""
        return isinstance(source, self._xsd.ComplexType) and any(
            isinstance(element, self._xsd.Any) for _, element in source.elements
        )


def _elements(
    nested: Any, xsd: Any, optional: bool = False, group: str = ""
) -> Iterator[tuple[str, Any, bool, bool, str]]:
    """(name, element, may be absent, may repeat, key of its repeated group) of every element below."""
    for name, node in nested:
        if isinstance(node, xsd.Any):
            continue
        if isinstance(node, xsd.Element):
            if node.name != TEXT:  # the text of simple content is no element
                yield node.name, node, optional, bool(group), group
            continue
        several = node.accepts_multiple
        inner_group = group or (str(name or TEXT) if several else "")
        loose = optional or node.min_occurs == 0 or isinstance(node, xsd.Choice)
        inner = node.child.elements_nested if isinstance(node, xsd.Group) else node.elements_nested
        yield from _elements(inner, xsd, loose, inner_group)
