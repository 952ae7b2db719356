"""What a mapping wrote, as Tryton's `create` and `write` take it: only what is not there already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.tryton._schema import Schema
from connectors.tryton._wire import Record, same

_NAMED_BY = {"contact_mechanisms": ("type",), "identifiers": ("type",)}
_KEPT = frozenset({"addresses"})  # orders refer to them: they are put out of use, not deleted


class Values:
    """Encodes records by the tenant's own field types."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def new(self, model: str, ours: Mapping[str, Any]) -> Record:
        """The values of a new record with its children."""
        found: Record = {}
        for name, value in ours.items():
            if self._schema.kind(model, name) == "one2many":
                child = self._schema.relation(model, name)
                made = [self.new(child, each) for each in value or []]
                if made:
                    found[name] = [["create", made]]
            else:
                found[name] = self._schema.value(model, name, value)
        return found

    def changes(
        self, model: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], before: Mapping[str, Any] | None
    ) -> Record:
        """The values of a record that stands which differ from what it holds."""
        found: Record = {}
        for name, value in ours.items():
            kind = self._schema.kind(model, name)
            if kind == "one2many":
                child, held = self._schema.relation(model, name), theirs.get(name) or []
                steps = self._children(name, child, value or [], held, (before or {}).get(name) or [])
                if steps:
                    found[name] = steps
            elif name not in theirs or not same(self._schema.fitted(model, name, value), theirs[name], kind):
                found[name] = self._schema.value(model, name, value)
        return found

    def _children(
        self, name: str, model: str, ours: Sequence[Record], theirs: Sequence[Record], before: Sequence[Record]
    ) -> list[Any]:
        """Children are recognised by what names them (a kind of number), else by their place."""
        names = _NAMED_BY.get(name, ())
        waiting: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
        for each in theirs:
            waiting[_name(each, names)].append(each)
        steps, made = [], []
        for each in ours:
            there = waiting[_name(each, names)]
            if not there:
                made.append(self.new(model, each))
                continue
            held = there.pop(0)
            if changed := self.changes(model, each, held, None):
                steps.append(["write", [int(held["id"])], changed])
        gone = self._dropped(names, ours, before, waiting)
        if gone and name in _KEPT:
            steps.append(["write", gone, {"active": False}])
        elif gone:
            steps.append(["delete", gone])
        return [*steps, *([["create", made]] if made else [])]

    @staticmethod
    def _dropped(
        names: tuple[str, ...],
        ours: Sequence[Record],
        before: Sequence[Record],
        left: Mapping[tuple[Any, ...], list[Record]],
    ) -> list[int]:
        """Children that we sent once and send no more; what others added there stays."""
        more: dict[tuple[Any, ...], int] = defaultdict(int)
        for each in before:
            more[_name(each, names)] += 1
        for each in ours:
            more[_name(each, names)] -= 1
        return [int(each["id"]) for name, count in more.items() if count > 0 for each in left.get(name, [])[:count]]


def merged(defaults: Mapping[str, Any], ours: Mapping[str, Any]) -> Record:
    """Ours, with what it leaves out; records in records likewise."""
    found = dict(defaults)
    for name, value in ours.items():
        deeper = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if deeper else value
    return found


def _name(each: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(each.get(name) for name in names)
