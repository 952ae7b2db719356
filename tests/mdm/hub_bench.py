"""A hub at a workbench: a small scorer whose weights are plain to see, and a reference that only knows the batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from mdm.cluster import partition
from mdm.declaration import (
    Block,
    Call,
    Column,
    Comparison,
    Declaration,
    Features,
    Guard,
    Identifier,
    Level,
    Rule,
    Survivor,
    Thresholds,
)
from mdm.hub import EVIDENCE, Change, Decision, Matching
from mdm.survive import Member, Pin, survive

ZERO = datetime(2025, 1, 1, tzinfo=UTC)

DECLARATION = Declaration(
    entity="customer",
    summary="customers at the workbench",
    scoring="fellegi_sunter",
    columns=(
        Column("name", ("name",), (Call("text"),)),
        Column("phone", ("phone",)),
        Column("vat", ("vat",)),
    ),
    comparisons=(
        Comparison("name", (Level("exact"),)),
        Comparison("phone", (Level("exact"),)),
    ),
    blocks=(Block((("name", 3),)), Block((("phone", None),)), Block((("vat", None),))),
    thresholds=Thresholds(auto=6, review=0),
    identifiers=(Identifier("vat", same=20, apart=True),),
    guard=Guard(members=40, density=0.3, hot=30),
    survivors=(
        Survivor(("street", "city"), (Rule("recent"), Rule("complete"))),
        Survivor(("name",), (Rule("priority", ("erp", "crm")), Rule("longest"))),
        Survivor(("tags",), (Rule("all"),)),
        Survivor(("phone",), (Rule("majority"), Rule("recent"))),
    ),
    parent="parent",
    digest="workbench",
)


class Weight(NamedTuple):
    weight: float


@dataclass(frozen=True)
class Small:
    """Name equal +5, same first letters +1, phone +4, vat +20; different names -3, different phones -2."""

    model_id: str = "small"

    def keys(self, features: Features) -> tuple[int, ...]:
        found = []
        for number, (column, length) in enumerate((("name", 3), ("phone", None), ("vat", None))):
            value = features.get(column)
            if isinstance(value, str):
                told = f"customer|{number}|{value[:length]}".encode()
                found.append(int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big", signed=True))
        return tuple(found)

    def score(self, a: Features, b: Features) -> Weight:
        weight = 0.0
        for column, same, other in (("name", 5.0, -3.0), ("phone", 4.25, -2.0), ("vat", 20.0, -5.0)):
            mine, theirs = a.get(column), b.get(column)
            if mine is not None and theirs is not None:
                weight += same if mine == theirs else other
        if a.get("name") and b.get("name") and str(a["name"])[:3] == str(b["name"])[:3]:
            weight += 1.0
        return Weight(weight)

    def apart(self, a: Features, b: Features) -> bool:
        return bool(a.get("vat") and b.get("vat") and a["vat"] != b["vat"])


def features(_declaration: Declaration, body: Mapping[str, Any]) -> dict[str, Any]:
    name, phone, vat = body.get("name"), body.get("phone"), body.get("vat")
    return {
        "name": " ".join(name.casefold().split()) or None if name else None,
        "phone": phone or None,
        "vat": vat if vat and vat.startswith("V") else None,  # any other is invalid
    }


def customers(**changed: Any) -> Matching:
    """How the workbench's customers are matched."""
    return Matching(replace(DECLARATION, **changed), Small(), features)


def record(number: int) -> UUID:
    """The id of the n-th record."""
    return UUID(int=(0x7000 << 64) | (0x8000 << 48) | number)


def told(
    number: int,
    body: Mapping[str, Any] | None = None,
    *,
    system: str = "crm",
    day: float = 0,
    action: str = "upsert",
    sequence: int = 0,
    into: int | None = None,
) -> Change:
    """A version of the n-th record as of a day."""
    return Change(
        record(number), system, "", f"K{number}", action, ZERO + timedelta(days=day), sequence, body,
        None if into is None else record(into),
    )  # fmt: skip


def decision(number: int, verdict: str, these: Iterable[int], those: Iterable[int] = (), **more: Any) -> Decision:
    """The n-th decision."""
    return Decision(
        UUID(int=(0xD << 120) | number), verdict, tuple(map(record, these)), tuple(map(record, those)),
        actor="steward", reason="a test", **more,
    )  # fmt: skip


# -- what the store holds ------------------------------------------------------------------------------------------


class Picture(NamedTuple):
    """All that a history must not be told from."""

    groups: dict[UUID, UUID]
    golden: dict[UUID, tuple[str, str, str]]
    """Golden id → state, hash, lineage."""
    edges: set[tuple[UUID, UUID, float]]
    hot: dict[int, int]
    crowded: set[UUID]


def picture(connection: Connection) -> Picture:
    """Everything current that the hub has derived."""
    groups = {r.id: r.golden for r in connection.execute(text("select id, golden from hub_record"))}
    golden = {
        r.id: (r.state, r.hash, r.lineage)
        for r in connection.execute(
            text("select distinct on (id) id, state, hash, lineage::text from hub_golden order by id, version desc")
        )
        if r.state != "retired"
    }
    edges = {(r.a, r.b, r.weight) for r in connection.execute(text("select a, b, weight from hub_edge"))}
    hot = {r.key: r.records for r in connection.execute(text("select key, records from hub_hot"))}
    crowded = {r.id for r in connection.execute(text("select id from hub_record where crowded"))}
    return Picture(groups, golden, edges, hot, crowded)


def batch(matching: Matching, changes: Sequence[Change], decisions: Sequence[Decision] = ()) -> Picture:
    """The same from all versions and standing decisions at once: the plain meaning, with nothing incremental in it."""
    declared, scorer = matching.declaration, matching.scorer
    versions: dict[UUID, dict[tuple[Any, ...], Change]] = {}
    for one in changes:
        versions.setdefault(one.record, {})[_order(one)] = one
    members: dict[UUID, Member] = {}
    said: dict[UUID, UUID | None] = {}
    above: dict[UUID, UUID | None] = {}
    for id_, all_of in versions.items():
        last = all_of[max(all_of)]
        contents = {order: one for order, one in all_of.items() if one.action == "upsert"}
        said[id_] = last.into if last.action == "merge" else None
        if contents:
            order = max(contents)
            body = dict(contents[order].body or {})
            parent = body.get("parent")
            above[id_] = UUID(parent["subject"]) if parent else None
            found = {k: v for k, v in matching.features(declared, body).items() if v is not None}
            members[id_] = Member(
                id_, last.system, last.scope, last.key, order[0], order[1], order[2].hex(), body, found,
                last.action != "upsert",
            )  # fmt: skip
        else:
            first = next(iter(all_of.values()))
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            members[id_] = Member(id_, first.system, first.scope, first.key, epoch, 0, "", {}, {}, True)
            above[id_] = None
    holders: dict[int, list[UUID]] = {}
    for id_, one in members.items():
        for key in set(scorer.keys(one.features)):
            holders.setdefault(key, []).append(id_)
    hot = {key: len(ids) for key, ids in holders.items() if len(ids) > declared.guard.hot}
    pairs = {
        (a, b) for key, ids in holders.items() if key not in hot for a in ids for b in ids if a < b
    }  # fmt: skip
    edges = {
        (a, b, weight)
        for a, b in pairs
        if (weight := scorer.score(members[a].features, members[b].features).weight) >= declared.thresholds.review
    }
    evidence = max(EVIDENCE, declared.thresholds.auto)
    told_edges = {(id_, into, evidence) for id_, into in said.items() if into is not None and into in members}
    together = [(d.these[0], d.those[0]) for d in decisions if d.verdict == "same"]
    apart = [
        (a, b) for d in decisions if d.verdict in ("different", "split", "parent_of") for a in d.these for b in d.those
    ]

    def conflicting(a: UUID, b: UUID) -> bool:
        if declared.one_to_one and members[a].system == members[b].system:
            return True
        if above[a] == b or above[b] == a:
            return True
        return scorer.apart(members[a].features, members[b].features)

    made = partition(
        sorted(members, key=lambda id_: members[id_].place),
        [*edges, *told_edges],
        together,
        apart,
        declared.guard,
        declared.thresholds.auto,
        conflicting=conflicting,
    )
    crowded = {id_ for crowd in made.too_big for id_ in crowd.records}
    pins = [Pin(d.id, d.attribute or "", d.value, ZERO, d.actor) for d in decisions if d.verdict == "pin"]
    where = {id_: min(group) for group in made.groups for id_ in group}
    golden = {}
    for group in made.groups:
        here = [
            pin
            for d, pin in zip([d for d in decisions if d.verdict == "pin"], pins, strict=True)
            if where[d.these[0]] == min(group)
        ]
        result = survive([members[id_] for id_ in group], declared, here)
        from landbridge.strict import json

        golden[min(group)] = (
            "deleted" if result.deleted else "active", result.hash, json.dumps(result.lineage).decode(),
        )  # fmt: skip
    return Picture(where, golden, edges, hot, crowded)


def _order(one: Change) -> tuple[Any, ...]:
    from mdm.hub._arrive import arrived

    return arrived(one).order


def overridden(connection: Connection) -> int:
    """How many standing decisions the golden records contradict."""
    links = connection.execute(
        text("""
        select count(*) from hub_link l join hub_record a on a.id = l.a join hub_record b on b.id = l.b
        where (l.kind = 'same' and a.golden <> b.golden)
            or (l.kind in ('different', 'parent', 'child') and a.golden = b.golden)""")
    ).scalar_one()
    pins = connection.execute(
        text("""
        select count(*) from hub_link l join hub_decision d on d.id = l.decision join hub_record r on r.id = l.a
        cross join lateral (select * from hub_golden where id = r.golden order by version desc limit 1) g
        where l.kind = 'pin' and (g.values ->> d.attribute) is distinct from (d.value #>> '{}')
            and not exists (  -- a later pin on the same attribute of the same golden record
                select from hub_link o join hub_decision p on p.id = o.decision join hub_record s on s.id = o.a
                where o.kind = 'pin' and s.golden = r.golden and p.attribute = d.attribute
                    and (p.at, p.id) > (d.at, d.id))
        """)
    ).scalar_one()
    return int(links) + int(pins)
