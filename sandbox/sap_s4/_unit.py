"""What one transaction knows: its start time, its user, the store, and the warnings it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.sap_s4._edm import EntitySet
from sandbox.sap_s4._errors import bad_request
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._values import Value, next_tick, ticks


@dataclass
class Node:
    """An entity of a request body: its fields as stored, its nested entities by navigation property."""

    one: EntitySet
    fields: dict[str, Value]
    children: dict[str, list[Node]] = field(default_factory=dict)


@dataclass
class Unit:
    """One transaction. `started` stamps what it changes: SAP writes the time at which it began, not the commit's."""

    store: Store
    started: datetime
    user: str = "SANDBOX"
    warnings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def stamp(self) -> str:
        """The start of the transaction, to 100 ns."""
        return ticks(self.started)

    @property
    def day(self) -> str:
        """The day of the stamp."""
        return self.stamp[:10]

    @property
    def clock(self) -> str:
        """The time of day of the stamp, as Edm.Time."""
        moment = self.started.astimezone(UTC)
        return f"PT{moment:%H}H{moment:%M}M{moment:%S}S"

    def stamp_after(self, before: str | None) -> str:
        """A stamp that differs from the one before, so that an ETag never stays the same over a change."""
        return next_tick(self.stamp) if before == self.stamp else self.stamp

    def warn(self, code: str, text: str) -> None:
        """Something the caller may want to know; it travels in the header `sap-message`."""
        self.warnings.append((code, text))


def compact(one: EntitySet, fields: Record) -> Record:
    """Only what is not initial."""
    return {
        name: value
        for name, value in fields.items()
        if name[0] == "_" or name not in one.defaults or value != one.defaults[name] or name in one.keys
    }


def dependants(document: Record, name: str) -> list[Record]:
    """The stored dependants of a kind, to read or to append to."""
    found: list[Record] = document.setdefault("_c", {}).setdefault(name, [])
    return found


def attach(document: Record, node: Node, inherited: Record) -> Record:
    """Store an entity and what is nested in it as dependants; keys come from `inherited` where the body has none."""
    one = node.one
    record = {key: inherited[key] for key in one.keys if key in inherited}
    record |= node.fields
    for key in one.keys:
        record.setdefault(key, one.properties[key].default)
    place = dependants(document, one.name)
    if any(all(other.get(key) == record[key] for key in one.keys) for other in place):
        shown = ", ".join(f"{key}={record[key]}" for key in one.keys)
        raise bad_request(f"Entity {one.name}({shown}) already exists", code="SY/530")
    stored = compact(one, record)
    place.append(stored)
    for children in node.children.values():
        for child in children:
            attach(document, child, {**inherited, **record})
    return stored
