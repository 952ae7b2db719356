"""Lineage as people read it: per attribute its value, who won by which rule, who lost by which, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

SOURCE = ("record", "system", "scope", "key", "stamp", "sequence", "digest")


class Told(NamedTuple):
    """The story of one attribute; winners and losers name a record's version, a loser also the rule it lost by."""

    attribute: str
    value: Any
    rule: str
    winners: tuple[Mapping[str, Any], ...]
    losers: tuple[Mapping[str, Any], ...]
    pin: UUID | None


def told(values: Mapping[str, Any], lineage: Mapping[str, Any]) -> Iterator[Told]:
    """The story of every attribute of a golden record, by its values and its lineage as they are stored."""
    versions = [dict(zip(SOURCE, one, strict=True)) for one in lineage["versions"]]
    for attributes, winners, rule, losers, pin in lineage["stories"]:
        for name in attributes:
            yield Told(
                name,
                values.get(name),
                rule,
                tuple(versions[n] for n in winners),
                tuple({**versions[n], "rule": lost_by} for n, lost_by in losers),
                UUID(pin) if pin else None,
            )
