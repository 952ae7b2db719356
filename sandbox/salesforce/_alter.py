"""An administrator at work: fields are dropped, renamed or changed while the org is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sandbox.salesforce._objects import find_sobject
from sandbox.salesforce._sandbox import SalesforceSandbox
from sandbox.salesforce._schema import Field, SObject

_DERIVED = ("fields", "_folded", "parents", "stored")


@contextmanager
def altered(
    org: SalesforceSandbox, sobject: str, field: str, *, to: str | None = None, dropped: bool = False, **changes: Any
) -> Iterator[None]:
    """Change one field that is not indexed until the block ends: drop it, rename it `to` another, or change its rules.

    A renamed field keeps its values. Objects are the same for every org of this process.
    """
    kind = find_sobject(sobject)
    if kind is None or field not in kind.fields or kind.fields[field].indexed:
        raise ValueError(f"salesforce sandbox: {sobject} has no field {field} that can be changed")
    before = {name: getattr(kind, name) for name in _DERIVED}
    changed = None if dropped else replace(kind.fields[field], name=to or field, **changes)
    kept = {name: changed if name == field else each for name, each in kind.fields.items()}
    _set(kind, {each.name: each for each in kept.values() if each is not None})
    if to is not None:
        _move(org, kind, field, to)
    try:
        yield
    finally:
        kind.__dict__.update(before)
        if to is not None:
            _move(org, kind, to, field)


def _set(kind: SObject, fields: dict[str, Field]) -> None:
    """The object with these fields: what it derives from them is derived anew."""
    for name in _DERIVED:
        kind.__dict__.pop(name, None)
    kind.__dict__["fields"] = fields


def _move(org: SalesforceSandbox, kind: SObject, field: str, to: str) -> None:
    with org.state.transaction():
        for document in org.state.find(kind.name):
            if field in document:
                document[to] = document.pop(field)
                org.state.put(kind.name, document["Id"], document)
