"""Adoption: at cut-over both sides hold the same records; they are linked, and nothing is written.

What both sides hold under one value and no one else does is linked. What has several candidates is a conflict for a
person. What has none stays open: the next run creates it. Adoption can be run again at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from landbridge import strict
from landbridge.engine._engine import Engine
from landbridge.engine._match import Match
from landbridge.engine._plan import Plan, translate
from landbridge.engine._process import Subscription
from landbridge.engine._refs import subjects
from landbridge.engine._sighted import rehearsal
from landbridge.errors import Invalid, LandbridgeError
from landbridge.store import adoption, control, identity, operate
from landbridge.store._identity import Key, Link
from landbridge.store._outbox import Claimed
from landbridge.translator import MissingParent

Progress = Callable[[str, int], None]


@dataclass(slots=True)
class Adoption:
    """What one adoption did on one route: counts, and the first records that need a look."""

    route: str
    target_field: str
    counts: Counter[str] = field(default_factory=Counter)
    ambiguous: list[tuple[str, str]] = field(default_factory=list)  # (source key, why)
    missing: list[str] = field(default_factory=list)  # source keys without a candidate
    most: int = 20


@dataclass(slots=True)
class _Verdict:
    linked: dict[UUID, str] = field(default_factory=dict)  # subject → target id
    absorbed: list[tuple[UUID, UUID]] = field(default_factory=list)  # (loser, winner): known of the target alone
    disputed: dict[int, tuple[str, list[dict[str, Any]]]] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)


def adopt(
    engine: Engine,
    name: str,
    match: str,
    *,
    target: str | None = None,
    target_field: str | None = None,
    hold: bool = False,
    dry_run: bool = False,
    actor: str = "person",
    progress: Progress | None = None,
) -> list[Adoption]:
    """Receive and process a flow's feed, then link its open rows to the records of the target that `match` finds.

    The flow is paused meanwhile, so that no run creates what is about to be linked. `dry_run` does the same in a
    transaction that is rolled back.
    """
    flow = engine.parts.flows[name]
    chosen = [one for one in engine.subscriptions(name) if target in (None, one.route.to)]
    if not chosen:
        known = ", ".join(route.to for route in flow.deliver) or "no system"
        raise LandbridgeError(f"{name} has no route to {target}." if target else f"{name} is not enabled.",
                              hint=f"It delivers to {known}.")  # fmt: skip
    for one in chosen:
        _hold_to_masters(engine, one)
    fields = getattr(engine.parts.schema, "fields", None)
    found = Match.parse(match, fields(flow.entity) if fields else None)
    if not dry_run:
        with _paused(engine, name, actor):
            return _Adopter(engine, name, found, target_field, hold, actor, progress).run(chosen)
    with rehearsal(engine) as shadow:
        return _Adopter(shadow, name, found, target_field, hold, actor, progress).run(chosen)


def _hold_to_masters(engine: Engine, one: Subscription) -> None:
    entity = engine.parts.systems[one.route.to].entity(one.route.entity)
    if entity.lines is not None:
        raise LandbridgeError(
            f"{one.route.entity} of {one.route.to} has lines, and no field says which of ours is which of theirs.",
            hint="Adopt master records, and begin documents with `extract.start: {documents: open}` after them.",
        )


@contextmanager
def _paused(engine: Engine, name: str, actor: str) -> Iterator[None]:
    """No delivery of the flow begins while it is adopted; a flow that was paused already stays so."""
    store, clock = engine.parts.store, engine.parts.clock
    with store.transaction("adopt") as connection:
        ours = control.pause(connection, name, f"being adopted by {actor}", clock.now())
    try:
        yield
    finally:
        if ours:
            with store.transaction("adopt") as connection:
                control.resume(connection, name, clock.now())


class _Adopter:
    def __init__(
        self,
        engine: Engine,
        name: str,
        match: Match,
        target_field: str | None,
        hold: bool,
        actor: str,
        progress: Progress | None,
    ) -> None:
        self.engine, self.parts = engine, engine.parts
        self.flow = engine.parts.flows[name]
        self.match, self.target_field, self.hold, self.actor = match, target_field, hold, actor
        self.progress = progress or (lambda _step, _moved: None)

    def run(self, chosen: Sequence[Subscription]) -> list[Adoption]:
        """Bring the feed to the outbox, then adopt route by route."""
        for one in chosen:
            self.engine.bind(one.route.to)
        extracted = self.engine.extract(self.flow)
        if extracted.refused:
            raise LandbridgeError(extracted.refused)
        self.progress("extract", extracted.read)
        self.engine.process(*self.flow.feed, progress=self.progress)
        return [self._route(one) for one in chosen]

    def _route(self, one: Subscription) -> Adoption:
        mapping = self.parts.mappings[one.route.to, one.route.entity]
        done = Adoption(self.flow.route_key(one.route), self.target_field or self.match.field(mapping))
        with self.parts.store.reading(patient=True) as session:
            adoption.begin(session)
            for rows in self._pages(session, one):
                held = [(value, row.subject) for row in rows for value in self.match.values(row.body)]
                adoption.add_values(session, held)
            adoption.index_values(session)
            for rows in self._pages(session, one):
                self._batch(session, one, rows, done)
                self.progress("adopt", len(rows))
        with self.parts.store.transaction("adopt") as connection:
            detail = {"route": done.route, "match": self.match.word, "field": done.target_field, **done.counts}
            now, name = self.parts.clock.now(), self.flow.flow
            control.note(connection, "adopted", self.actor, now, flow=name, system=one.route.to, detail=detail)
        return done

    def _pages(self, session: Connection, one: Subscription) -> Iterator[list[Claimed]]:
        after = 0
        while rows := adoption.candidates(session, one.id, one.route.to, after, self.parts.batch):
            after = rows[-1].id
            yield rows

    def _batch(self, session: Connection, one: Subscription, rows: Sequence[Claimed], done: Adoption) -> None:
        """One page: one look-up in the target, one transaction."""
        by_row = {row.id: self.match.values(row.body) for row in rows}
        values = list(dict.fromkeys(value for found in by_row.values() for value in found))
        target = self.parts.systems[one.route.to]
        found: Mapping[str, list[str]] = {}
        if values:
            found = target.matches(one.route.entity, values, field=done.target_field)
        shared = adoption.shared_values(session, values)
        verdict = self._judge(one, rows, by_row, found, shared)
        remembered = self._remembered(one, [row for row in rows if row.subject in verdict.linked], verdict.linked)
        self._keep(one, verdict, remembered)
        self._count(rows, by_row, verdict, done)

    def _judge(
        self,
        one: Subscription,
        rows: Sequence[Claimed],
        by_row: Mapping[int, list[str]],
        found: Mapping[str, list[str]],
        shared: set[str],
    ) -> _Verdict:
        system, entity = one.route.to, one.route.entity
        ids = {id_ for several in found.values() for id_ in several}
        with self.parts.store.reading() as connection:
            who = identity.lookup(connection, {Key(system, entity, "", id_) for id_ in ids})
            taken = adoption.elsewhere(connection, {one.subject for one in who.values()}, system)
        wanted = Counter(id_ for row in rows for id_ in _ids(by_row[row.id], found))
        verdict = _Verdict()
        for row in rows:
            candidates = _ids(by_row[row.id], found)
            standing = who.get(Key(system, entity, "", candidates[0])) if len(candidates) == 1 else None
            if not candidates:
                verdict.missing.append(row.id)
            elif len(candidates) > 1:
                self._dispute(verdict, one, row, candidates, f"has {len(candidates)} candidates in {system}")
            elif wanted[candidates[0]] > 1 or shared & set(by_row[row.id]):
                self._dispute(verdict, one, row, candidates, "is not the only one with this value")
            elif standing is not None and standing.subject in taken and standing.subject != row.subject:
                self._dispute(verdict, one, row, candidates, "matches a record that is linked already")
            else:
                verdict.linked[row.subject] = candidates[0]
                if standing is not None and standing.subject != row.subject:
                    verdict.absorbed.append((standing.subject, row.subject))
        return verdict

    def _dispute(self, verdict: _Verdict, one: Subscription, row: Claimed, candidates: Sequence[str], why: str) -> None:
        source, entity = self.flow.feed
        system, key = one.route.to, row.source_key
        names = ", ".join(f"{system} {id_}" for id_ in candidates)
        link = f"landbridge xref link {source} {entity} {key} --to {system} --id …"
        reason = f"{source} {entity} {key} {why}: {names}. hint: {link}, then landbridge dead replay {row.id}"
        findings = [{"path": self.match.word, "message": why, "theirs": id_} for id_ in candidates]
        verdict.disputed[row.id] = (reason, findings)

    def _remembered(
        self, one: Subscription, rows: Sequence[Claimed], linked: Mapping[UUID, str]
    ) -> list[tuple[Key, bytes, dict[str, Any]]]:
        """What we would have written for each: taken for what the target holds, so that only changes are sent later."""
        target, mapping = self.parts.systems[one.route.to], self.parts.mappings[one.route.to, one.route.entity]
        rules = self.parts.rules(self.flow, one.route.to)
        refers = {row.id: subjects(row.body) for row in rows}
        with self.parts.store.reading() as connection:
            parents = {subject for found in refers.values() for _, subject in found}
            links = identity.links(connection, one.route.to, parents)
        kept = []
        for row in rows:
            link = Link(row.subject, "", linked[row.subject], {}, None, None, "adopt")
            plan = Plan(row, one, link, None, refers[row.id])
            try:
                translate(plan, target, mapping, rules, self.flow.extract.source, links, self.parts.clock.now())
            except (Invalid, MissingParent):
                continue  # the first change of it is sent whole
            key = Key(one.route.to, one.route.entity, "", link.id)
            kept.append((key, strict.json.digest(plan.content), plan.content))
        return kept

    def _keep(
        self, one: Subscription, verdict: _Verdict, remembered: Sequence[tuple[Key, bytes, dict[str, Any]]]
    ) -> None:
        now, system, entity = self.parts.clock.now(), one.route.to, one.route.entity
        with self.parts.store.transaction("adopt") as connection:
            adoption.absorb(connection, verdict.absorbed)
            links = [(Key(system, entity, "", id_), subject) for subject, id_ in verdict.linked.items()]
            identity.link(connection, links, now, "adopt")
            adoption.remember(connection, remembered, now)
            adoption.settle(connection, one.id, list(verdict.linked), now)
            operate.wake(connection, system, list(verdict.linked), now)
            adoption.dispute(connection, verdict.disputed, now)
            if self.hold:
                adoption.hold(connection, verdict.missing)

    def _count(
        self, rows: Sequence[Claimed], by_row: Mapping[int, list[str]], verdict: _Verdict, done: Adoption
    ) -> None:
        keys = {row.id: row.source_key for row in rows}
        done.counts["linked"] += len(verdict.linked)
        done.counts["ambiguous"] += len(verdict.disputed)
        done.counts["no value"] += sum(1 for id_ in verdict.missing if not by_row[id_])
        done.counts["no candidate"] += sum(1 for id_ in verdict.missing if by_row[id_])
        for id_, (reason, _) in verdict.disputed.items():
            if len(done.ambiguous) < done.most:
                done.ambiguous.append((keys[id_], reason))
        done.missing += [keys[id_] for id_ in verdict.missing][: done.most - len(done.missing)]


def _ids(values: Sequence[str], found: Mapping[str, list[str]]) -> list[str]:
    return list(dict.fromkeys(id_ for value in values for id_ in found.get(value, ())))
