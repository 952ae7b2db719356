"""Lists of several records as one: every different element once, in its fullest form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mdm.declaration import Value
from mdm.normalise import Elements
from mdm.survive._values import alike, filled, says, text_of


def united(bodies: Iterable[Mapping[str, Any]], name: str, elements: Elements) -> list[Any]:
    """Every different element of a list attribute, in the order of the bodies.

    Two that a compared column normalises to one value are one, the fuller, unless another field of theirs differs.
    """
    found: list[Any] = []
    written: set[bytes] = set()
    read: dict[tuple[str, Value], list[int]] = {}
    for body in bodies:
        for element in body.get(name) or []:
            text = text_of(element)
            if text in written:
                continue
            written.add(text)
            value = elements.read(element, body) if elements else None
            places = read.setdefault(value, []) if value is not None else []
            known = next((n for n in places if value is not None and _agree(found[n], element, value[0])), None)
            if known is None:
                places.append(len(found))
                found.append(element)
            elif filled(element) > filled(found[known]):
                found[known] = element
    return found


def _agree(one: Mapping[str, Any], other: Mapping[str, Any], compared: str) -> bool:
    """Whether two elements say the same wherever both say something, beside the field that was compared."""
    return all(
        alike(one[field]) == alike(other[field])
        for field in one.keys() & other.keys()
        if field != compared and says(one[field]) and says(other[field])
    )
