"""What a steward looks at: the queue, two records side by side, golden records as of any time, and what to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from landbridge.errors import Finding, Invalid
from mdm.steward._doubts import Doubt, Side, Waterfall, probability
from mdm.steward._notices import Noticed, noticed
from mdm.steward._shown import Asked, Compared, Look, Named, ShownPair, ShownRecord, changed, words
from mdm.store import decisions, queue, reading
from mdm.store._queue import Record
from mdm.survive import told

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mdm.hub import Matching
    from mdm.steward._desk import Desk, Preview


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a golden record and how it came to its value."""

    attribute: str
    value: Any
    rule: str
    winners: tuple[str, ...]
    losers: tuple[str, ...]
    pin: UUID | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a golden record."""

    version: int
    at: datetime
    state: str
    hash: str
    erased_at: datetime | None
    """When a record of it was erased: what that record gave is gone."""


@dataclass(frozen=True, slots=True)
class ShownGolden:
    """A golden record: values with their lineage, its records, its versions."""

    id: UUID
    state: str
    version: int
    recorded_at: datetime
    values: Any
    attributes: tuple[Attribute, ...]
    quality: Any
    members: tuple[Named, ...]
    versions: tuple[Version, ...]
    reproduced: bool | None
    """Of a look back: whether the record made anew from its records' versions is the one that was stored then."""
    erased_at: datetime | None
    """When a record of what is shown was erased: it can no longer be held against what was stored."""


@dataclass(frozen=True, slots=True)
class Became:
    """A golden record before and after."""

    id: UUID
    state: str
    """`unchanged`, `changed`, `new`, or `gone` where its records belong to others."""
    fields: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class ShownPreview:
    """What a decision would do."""

    moved: tuple[tuple[Named, UUID], ...]
    golden: tuple[Became, ...]


@dataclass(frozen=True, slots=True)
class Dismissed:
    """Who dismissed a notice; it is taken back by its id."""

    id: UUID
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """Something that a steward should know."""

    id: str
    """What it is dismissed by."""
    kind: str
    about: str
    text: str
    since: datetime | None
    dismissed: Dismissed | None


class View:
    """What the desk shows of one entity."""

    def __init__(self, desk: Desk, entity: str, *, personal: bool = False) -> None:
        with desk.store.reading() as connection:
            self.matching: Matching = desk.matching(connection, entity)
        self.desk, self.entity = desk, entity
        self.look = Look(desk.canonical, self.matching.declaration, personal=personal)

    def queue(self, most: int = 50) -> list[Asked]:
        """What waits, the most worth asking first."""
        found = self.desk.doubts(self.entity, most)
        with self.desk.store.reading() as connection:
            known = queue.look(connection, {id_ for one in found for id_ in (one.a, one.b)})
            return [self._asked(connection, one, known) for one in found]

    def _asked(self, connection: Connection, one: Doubt, known: Mapping[UUID, Record]) -> Asked:
        again = self._again(connection, one, known) if one.again else ""
        likely = words(one.probability)
        if one.weight >= self.matching.declaration.thresholds.auto:
            likely = f"{likely}, kept apart"
        return Asked(
            self.look.named(known[one.a]), self.look.named(known[one.b]), one.weight, one.probability, likely,
            one.priority, one.golden, one.records, one.pairs, one.uses, again, one.since,
        )  # fmt: skip

    def _again(self, connection: Connection, one: Doubt, known: Mapping[UUID, Record]) -> str:
        """Why a pair that was decided is asked again: the verdict, and what changed since."""
        both = {one.a, one.b}
        rows = [row for row in decisions.about(connection, both) if row.revoked_at is None and row.verdict != "pin"]
        if not rows:
            return f"asked again: {one.again} was said, and a compared field changed since"
        then = queue.known_at(connection, both, rows[0].at)
        columns = set()
        for id_, body in then.items():
            before = self.matching.features(self.matching.declaration, body)
            now = known[id_].features
            columns |= {c for c in {*before, *now} if _same(before.get(c)) != _same(now.get(c))}
        return f"asked again because {changed(columns)} changed since it was decided ({rows[0].verdict})"

    def pair(self, a: UUID, b: UUID) -> ShownPair:
        """Two records side by side."""
        return self.shown(self.desk.explain(self.entity, a, b))

    def shown(self, found: Waterfall) -> ShownPair:
        """A waterfall as it is shown."""
        likely = probability(found.scored.weight)
        return ShownPair(
            self._side(found.a), self._side(found.b), found.scored.weight, likely, words(likely), found.apart,
            found.pattern, tuple(self.look.step(*step) for step in found.steps),
            self.look.compared(found.a.record.body, found.b.record.body),
            tuple(self.look.decided(row) for row in found.decided),
        )  # fmt: skip

    def _side(self, side: Side) -> ShownRecord:
        one = side.record
        return ShownRecord(
            one.id, f"{one.system}:{one.key}", self.look.name(one.body), one.golden, side.members, one.parent,
            one.deleted, one.stamp, one.first_seen, side.uses,
        )  # fmt: skip

    def golden(self, record: UUID, *, valid: datetime | None = None, recorded: datetime | None = None) -> ShownGolden:
        """The golden record that holds, or held at `recorded`, a record, as its sources had it at `valid`."""
        with self.desk.store.reading() as connection:
            if recorded is None:
                id_ = reading.home(connection, [record]).get(record)
            else:
                id_ = queue.home_at(connection, record, recorded)
            stored = reading.stored(connection, [id_], recorded).get(id_) if id_ else None
            if id_ is None or stored is None:
                hint = "Ask for a later time."
                raise Invalid([Finding("known_at", "time", f"the hub did not know {record} at that time", hint)])
            values, lineage, reproduced = stored.values, stored.lineage, None
            held = reading.members(connection, id_)
            if valid is not None or recorded is not None:
                hub = self.desk.hub.hub(connection, self.entity)
                made = hub.as_of(connection, self.entity, id_, valid=valid, recorded=recorded)
                if made is None:
                    hint = "Ask for a later time."
                    raise Invalid([Finding("as_of", "time", f"no source knew {record} at that time", hint)])
                values, lineage = made.golden.values, made.golden.lineage
                reproduced = made.reproduced if valid is None and not made.erased else None
                held = [one.id for one in reading.was(connection, id_, valid, recorded)]
            known = queue.look(connection, held)
            versions = [one for one in reading.history(connection, id_) if recorded is None or one.at <= recorded]
        return ShownGolden(
            id_, stored.state, stored.version, stored.at, self.look.body(values), self._attributes(values, lineage),
            stored.quality, tuple(self.look.named(known[one]) for one in held if one in known),
            tuple(Version(one.version, one.at, one.state, one.hash, one.erased_at) for one in versions), reproduced,
            stored.erased_at,
        )  # fmt: skip

    def _attributes(self, values: Mapping[str, Any], lineage: Mapping[str, Any]) -> tuple[Attribute, ...]:
        shown = self.look.body(values)
        return tuple(
            Attribute(
                one.attribute,
                shown.get(one.attribute),
                one.rule,
                tuple(_source(winner) for winner in one.winners),
                tuple(f"{_source(loser)} by {loser['rule']}" for loser in one.losers),
                one.pin,
            )
            for one in told(values, lineage)
        )

    def preview(self, found: Preview) -> ShownPreview:
        """What a decision would do, field by field."""
        with self.desk.store.reading() as connection:
            known = queue.look(connection, found.moved)
        became = []
        for id_ in sorted({*found.before, *found.after}):
            before, after = found.before.get(id_), found.after.get(id_)
            state = "gone" if after is None else "new" if before is None or before.state == "retired" else "changed"
            if before is not None and after is not None and before.hash == after.hash:
                state = "unchanged"
            ours = before.values if before is not None else {}
            theirs = after.values if after is not None else {}
            fields = [] if state == "gone" else [one for one in self.look.compared(ours, theirs) if one.differs]
            became.append(Became(id_, state, tuple(fields)))
        moved = tuple((self.look.named(known[id_]), golden) for id_, golden in sorted(found.moved.items()))
        return ShownPreview(moved, tuple(became))

    def notices(self, *, dismissed: bool = False) -> list[ShownNotice]:
        """What a steward should know: moved pins, reused ids, unidentified records, hot keys, crowds, circles.

        What was dismissed and says the same still is left out, unless it is asked for.
        """
        with self.desk.store.reading() as connection:
            found = noticed(connection, self.entity, self.matching.declaration.thresholds.auto)
            told = [one for one in found if dismissed or one.dismissal is None]
            known = queue.look(connection, {id_ for one in told for id_ in one.names})

        def name(id_: UUID) -> str:
            one = known.get(id_)
            return str(id_) if one is None else f"{one.system}:{one.key}"

        return [_shown(one, [name(id_) for id_ in one.names]) for one in told]


def _shown(one: Noticed, names: Sequence[str]) -> ShownNotice:
    about = one.about if one.kind == "hot_key" else names[0]
    gone = one.dismissal
    by = None if gone is None else Dismissed(gone.id, gone.actor, gone.reason, gone.at)
    return ShownNotice(one.id, one.kind, about, _noted(one.kind, one.detail, names), one.since, by)


def _noted(kind: str, detail: Mapping[str, Any], names: Sequence[str]) -> str:
    if kind == "hot_key":
        return f"{detail['records']} records share a key that finds nothing any more, as {_listed(names)}"
    if kind == "crowd":
        return f"{detail['records']} records hang together and were left apart"
    if kind == "circle":
        return f"stand above each other: {_listed(names)}"
    if kind == "pin_moved":
        return f"the value that a pin hides is another now: {detail.get('attribute')} of golden {detail.get('golden')}"
    if kind == "reused":
        return "its source seems to use one id for two"
    return "says nothing that it could be compared by"


def _same(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _source(version: Mapping[str, Any]) -> str:
    return f"{version['system']}:{version['key']} of {version['stamp']}"
