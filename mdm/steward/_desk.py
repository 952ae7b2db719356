"""The steward's desk: decisions with what was known, their undo, and bulk over one pattern with a preview first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from landbridge.engine import Grouped, regroup
from landbridge.errors import Finding, Invalid, LandbridgeError
from landbridge.time import uuid7
from mdm.hub import Decision, Matching
from mdm.publish import EngineHub
from mdm.steward._doubts import Doubt, Waterfall, doubts, explain
from mdm.steward._figures import Figures, Status
from mdm.steward._labels import Label, label, next_to_label
from mdm.steward._notices import noticed
from mdm.store import decisions, notices, queue, reading, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from landbridge.canonical import Canonical
    from landbridge.installation import Installation
    from mdm.hub import Verdict
    from mdm.steward._labels import Verdict as Word

SAMPLE = 5
"""Pairs of one pattern that are shown before all of them are decided."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a decision would do: golden records before and after, and who would move."""

    before: dict[UUID, reading.Stored]
    after: dict[UUID, reading.Stored]
    moved: dict[UUID, UUID]


class Desk:
    """Stewardship of one project; every act is one transaction, and the cross-reference follows in it."""

    def __init__(self, installation: Installation) -> None:
        hub = installation.hub
        if not isinstance(hub, EngineHub):
            hint = "Declare an entity in config/mdm; `landbridge mdm profile` proposes how."
            raise LandbridgeError("This project has no master-data hub.", hint=hint)
        self.hub: EngineHub = hub
        self._installation = installation
        self.parts = installation.engine.parts
        self.store = installation.store

    @property
    def canonical(self) -> Canonical:
        """The canonical model: what a golden record may say, and what of it tells about a person."""
        return self._installation.canonical

    def declared(self, entity: str) -> None:
        """Invalid if the hub keeps no such entity."""
        if entity not in self.hub.entities:
            known = ", ".join(sorted(self.hub.entities))
            raise Invalid([Finding("entity", "entity", f"the hub keeps no {entity}", f"It keeps {known}.")])

    def matching(self, connection: Connection, entity: str) -> Matching:
        """How an entity is matched; Invalid if it is not declared."""
        self.declared(entity)
        return self.hub.current(connection, entity).entities[entity]

    def doubts(self, entity: str, most: int = 50, about: Sequence[UUID] = ()) -> list[Doubt]:
        """What waits for a steward; see `mdm.steward.doubts`."""
        with self.store.reading() as connection:
            return doubts(connection, self.matching(connection, entity), most, about)

    def explain(self, entity: str, a: UUID, b: UUID) -> Waterfall:
        """Why two records weigh what they weigh; Invalid where the hub does not know one of them."""
        if a == b:
            raise Invalid([Finding("records", "record", "these are one record", "Name two.")])
        with self.store.reading() as connection:
            matching = self.matching(connection, entity)
            ours = {id_ for id_, one in records.known(connection, [a, b]).items() if one.entity == entity}
            found = explain(connection, matching, a, b) if ours == {a, b} else None
        if found is None:
            told = f"the hub does not know {a} and {b} as {entity} records"
            raise Invalid([Finding("records", "record", told, "Look at their ids.")])
        return found

    def record(self, entity: str, named: str) -> UUID:
        """A record by its own id, by a golden id, or as `system:key`."""
        with self.store.reading() as connection:
            self.matching(connection, entity)
            try:
                wanted = UUID(named)
            except ValueError:
                system, _, key = named.partition(":")
                found = queue.called(connection, entity, system, key)
            else:
                known = records.known(connection, [wanted]).get(wanted)
                found = [wanted] if known is not None and known.entity == entity else []
        if len(found) != 1:
            why = "is not known to the hub" if not found else f"is {len(found)} records of different organisations"
            hint = "Name it as system:key, or by its id as `landbridge steward queue` shows it."
            raise Invalid([Finding("record", "record", f"{entity} {named} {why}", hint)])
        return found[0]

    def decide(
        self,
        entity: str,
        verdict: Verdict,
        these: Sequence[UUID],
        those: Sequence[UUID] = (),
        *,
        actor: str,
        reason: str = "",
        attribute: str | None = None,
        value: Any = None,
    ) -> UUID:
        """Keep a decision and let everything follow from it; returns its id, by which it is undone."""
        with self.store.transaction("steward") as connection:
            return self._decide(connection, entity, verdict, these, those, actor, reason, attribute, value)[0]

    def _decide(
        self,
        connection: Connection,
        entity: str,
        verdict: Verdict,
        these: Sequence[UUID],
        those: Sequence[UUID],
        actor: str,
        reason: str,
        attribute: str | None = None,
        value: Any = None,
    ) -> tuple[UUID, Grouped]:
        self.matching(connection, entity)
        if verdict == "pin" and attribute is not None:
            self._check_pin(connection, entity, these, attribute, value)
        known = queue.seen(connection, [*these, *those])
        decision = Decision(
            uuid7(), verdict, tuple(these), tuple(those), attribute, value, actor, reason, based_on=known
        )
        grouped = self.hub.decide(connection, entity, decision)
        regroup(connection, self.parts, entity, grouped)
        return decision.id, grouped

    def _check_pin(
        self, connection: Connection, entity: str, these: Sequence[UUID], attribute: str, value: Any
    ) -> None:
        """Refuse a value that would make the golden record something that the canonical model does not know."""
        known = {path.split(".")[0].split("[")[0] for path in self.canonical.fields(entity)}
        if attribute not in known:
            hint = f"It has {', '.join(sorted(known))}."
            raise Invalid([Finding("attribute", "attribute", f"{entity} has no field {attribute!r}", hint)])
        home = reading.home(connection, these)
        stands = reading.stored(connection, set(home.values()))
        for one in stands.values():
            body = {**one.values, attribute: value} if value is not None else dict(one.values)
            if value is None:
                body.pop(attribute, None)
            wrong = [
                found
                for found in self.canonical.findings(entity, body)
                if found.path == attribute or found.path.startswith((f"{attribute}.", f"{attribute}["))
            ]
            if wrong:
                raise Invalid(wrong)

    def undo(self, entity: str, decision: UUID, *, actor: str) -> None:
        """Take a decision back: everything is as if it had never been made. A dismissal is taken back by its id too."""
        with self.store.transaction("steward") as connection:
            self.matching(connection, entity)
            if notices.exists(connection, entity, decision):
                notices.restore(connection, entity, decision, self.store.clock.now(), actor)
                return
            regroup(connection, self.parts, entity, self.hub.revoke(connection, entity, decision, actor))

    def dismiss(self, entity: str, notice: str, *, actor: str, reason: str = "") -> UUID:
        """Tell a notice no more while it says the same; returns the id by which this is undone."""
        with self.store.transaction("steward") as connection:
            auto = self.matching(connection, entity).declaration.thresholds.auto
            found = [one for one in noticed(connection, entity, auto) if one.id == notice and one.dismissal is None]
            if not found:
                hint = f"Look at `landbridge steward notices {entity}`: it is gone, or was dismissed already."
                raise Invalid([Finding("notice", "notice", f"there is no notice {notice}", hint)])
            one = found[0]
            made = notices.Dismissal(
                uuid7(), entity, one.kind, one.about, one.detail, actor, reason, self.store.clock.now()
            )
            notices.dismiss(connection, made)
            return made.id

    def status(self) -> list[Status]:
        """Every entity at a glance: what waits and since when, what was decided, what should be known."""
        with self.store.reading() as connection:
            return Figures(self.hub).status(connection, self.store.clock.now())

    def decided(self, entity: str, most: int = 50) -> list[decisions.Row]:
        """The newest decisions, revoked ones too."""
        with self.store.reading() as connection:
            self.matching(connection, entity)
            return decisions.newest(connection, entity, most)

    def preview(
        self,
        entity: str,
        verdict: Verdict,
        these: Sequence[UUID],
        those: Sequence[UUID] = (),
        *,
        attribute: str | None = None,
        value: Any = None,
    ) -> Preview:
        """What a decision would do; nothing is kept."""
        return self._tried(
            {*these, *those},
            lambda connection: [
                self._decide(connection, entity, verdict, these, those, "preview", "", attribute, value)[1]
            ],
        )

    def preview_undo(self, entity: str, decision: UUID) -> Preview:
        """What taking a decision back would do; nothing is kept."""
        with self.store.reading() as connection:
            if notices.exists(connection, entity, decision):
                return Preview({}, {}, {})
            found = decisions.find(connection, decision)
        named = {*found.these, *found.those} if found is not None else set()

        def act(connection: Connection) -> list[Grouped]:
            self.matching(connection, entity)
            grouped = self.hub.revoke(connection, entity, decision, "preview")
            regroup(connection, self.parts, entity, grouped)
            return [grouped]

        return self._tried(named, act)

    def preview_bulk(self, entity: str, verdict: Verdict, pairs: Iterable[Waterfall]) -> Preview:
        """What `bulk` would do; nothing is kept."""
        chosen = [(one.a.record.id, one.b.record.id) for one in pairs]
        return self._tried(
            {id_ for pair in chosen for id_ in pair},
            lambda connection: [
                self._decide(connection, entity, verdict, [a], [b], "preview", "")[1] for a, b in chosen
            ],
        )

    def _tried(self, named: Collection[UUID], act: Callable[[Connection], Sequence[Grouped]]) -> Preview:
        with self.trying() as connection:
            told = {id_ for grouped in act(connection) for id_ in grouped.groups} | {*named}
            after = reading.home(connection, told)
            now = reading.stored(connection, set(after.values()))
            with self.store.reading() as other:  # nobody else works on the entity meanwhile: this is how it stands
                before = reading.home(other, told)
                stood = reading.stored(other, set(before.values()))
        moved = {id_: golden for id_, golden in after.items() if before.get(id_, golden) != golden}
        return Preview(stood, now, moved)

    @contextmanager
    def trying(self) -> Iterator[Connection]:
        """A transaction of which nothing is kept."""
        with self.store.engine.connect() as connection:
            kept = connection.begin()
            try:
                yield connection
            finally:
                kept.rollback()

    def alike(self, entity: str, a: UUID, b: UUID, most: int = 500) -> list[Waterfall]:
        """Every waiting pair that agrees exactly as this one does, column by column: what may be decided together.

        Pairs that were decided before and are asked again are left to be looked at one by one.
        """
        wanted = self.explain(entity, a, b).pattern
        with self.store.reading() as connection:
            matching = self.matching(connection, entity)
            waiting = [one for one in doubts(connection, matching, most) if one.again is None]
            found = (explain(connection, matching, one.a, one.b) for one in waiting)
            return [one for one in found if one is not None and one.pattern == wanted]

    def bulk(self, entity: str, verdict: Verdict, pairs: Iterable[Waterfall], *, actor: str, reason: str) -> list[UUID]:
        """Decide pairs of one pattern, all or none, in one transaction; Invalid where their patterns differ."""
        chosen = list(pairs)
        patterns = {one.pattern for one in chosen}
        if len(patterns) > 1:
            told = f"{len(patterns)} patterns of agreement are among the {len(chosen)} pairs"
            raise Invalid([Finding("pairs", "pattern", told, "Decide pairs of one pattern at a time.")])
        made = []
        with self.store.transaction("steward") as connection:
            for one in chosen:
                a, b = one.a.record.id, one.b.record.id
                made.append(self._decide(connection, entity, verdict, [a], [b], actor, reason)[0])
        return made

    def unlabelled(self, entity: str, actor: str, most: int = 1) -> list[Label]:
        """Pairs that this person has not labelled yet, without what the hub thinks of them."""
        with self.store.reading() as connection:
            return next_to_label(connection, self.matching(connection, entity), actor, most)

    def label(self, entity: str, a: UUID, b: UUID, verdict: Word, *, actor: str) -> None:
        """Keep what a person says of a pair; it decides nothing."""
        with self.store.transaction("label") as connection:
            self.matching(connection, entity)
            label(connection, entity, a, b, verdict, actor, self.store.clock.now())
