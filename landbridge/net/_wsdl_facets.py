"""What zeep leaves out of a schema: the lengths and codes of simple types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.strict.xml import Element

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_OWNERS = frozenset({f"{_XSD}element", f"{_XSD}complexType", f"{_XSD}attribute"})
_LONGEST = 1_000  # codes that are kept of one type


@dataclass(frozen=True, slots=True)
class Facet:
    """The limits of one simple type; `base` is the local name of the type it restricts."""

    length: int | None
    codes: tuple[str, ...]
    base: str


class Facets:
    """The facets of every simple type of a WSDL: by its name, or by the field that it was written into."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], Facet] = {}
        self._inline: dict[tuple[str, str, str], Facet] = {}
        self._anonymous: dict[tuple[str, str], set[Facet]] = {}

    def collect(self, document: Element) -> None:
        """Take those of one document."""
        for schema in document.iter(f"{_XSD}schema"):
            namespace = schema.get("targetNamespace", "")
            for owner, field, restriction in _restrictions(schema, "", ""):
                facet = _facet(restriction)
                if field:
                    self._inline[namespace, owner, field] = facet
                    self._anonymous.setdefault((namespace, field), set()).add(facet)
                else:
                    self._named[namespace, owner] = facet

    def of(self, namespace: str, name: str, owner: str = "", field: str = "") -> tuple[int | None, tuple[str, ...]]:
        """Length and codes of a type by its qualified name, or of a nameless one by where it was written.

        zeep calls a nameless type as its field is called; `owner` is the type around the field.
        """
        facet: Facet | None = None
        if name == field:
            facet = self._inline.get((namespace, owner, field))
            alike = self._anonymous.get((namespace, field), set())
            if facet is None and len(alike) == 1 and (namespace, name) not in self._named:
                facet = next(iter(alike))
        facet = facet or self._named.get((namespace, name))
        length: int | None = None
        codes: tuple[str, ...] = ()
        seen = set[Facet]()
        while facet is not None and facet not in seen:
            seen.add(facet)
            length = facet.length if length is None else length
            codes = codes or facet.codes
            facet = self._named.get((namespace, facet.base)) or self._elsewhere(facet.base)
        return length, codes

    def _elsewhere(self, name: str) -> Facet | None:
        found = [facet for (_, known), facet in self._named.items() if known == name]
        return found[0] if len(found) == 1 else None


def _restrictions(node: Element, owner: str, field: str) -> Iterator[tuple[str, str, Element]]:
    """(type around it or own name, field or nothing, restriction) of every simple type below a node."""
    for child in node:
        name = child.get("name", "")
        if child.tag == f"{_XSD}simpleType":
            restriction = child.find(f"{_XSD}restriction")
            if restriction is not None:
                yield (name, "", restriction) if name else (owner, field, restriction)
        elif child.tag in _OWNERS and name:
            yield from _restrictions(child, field or owner, name)
        else:
            yield from _restrictions(child, owner, field)


def _facet(restriction: Element) -> Facet:
    length: int | None = None
    codes: list[str] = []
    for child in restriction:
        value = child.get("value", "")
        if child.tag in (f"{_XSD}maxLength", f"{_XSD}length") and value.isdecimal() and len(value) < 10:
            length = int(value)
        elif child.tag == f"{_XSD}enumeration" and len(codes) < _LONGEST:
            codes.append(value)
    return Facet(length, tuple(codes), restriction.get("base", "").rpartition(":")[2])
