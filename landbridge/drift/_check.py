"""Holds what systems say of their fields against what was kept of it and what the mappings use, and acts on it.

A change that a mapping line cannot take pauses the routes that need the field, and no other; when it is gone, or the
line says something else, its pause is lifted. A pause that a person made is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from landbridge.connector import Connector, Fields, Identity
from landbridge.drift._compare import Change, compare
from landbridge.drift._kept import read, written
from landbridge.drift._uses import MappingOf, Used, used
from landbridge.errors import LandbridgeError, OutcomeUnknown, Unavailable
from landbridge.settings import Settings
from landbridge.store import Store, control, operate
from landbridge.store import drift as kept
from landbridge.store._drift import Description, Drift
from landbridge.time import Clock

ACTOR = "drift"
"""Who pauses and resumes, in the history."""

ANSWERED = frozenset({"retyped", "shortened", "gone"})
"""Where a change says what its lines were, an edit of these lines is taken for the answer."""


@dataclass(slots=True)
class Answer:
    """What one system said: who it is, and the fields of its entities; what it would not say, and why."""

    identity: Identity
    fields: dict[str, Fields] = field(default_factory=dict)
    failed: dict[str, LandbridgeError] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """What a comparison found and did; `paused` and `resumed` name the routes whose state changed now."""

    stopping: list[Change] = field(default_factory=list)
    news: list[Change] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unreached: dict[str, LandbridgeError] = field(default_factory=dict)
    paused: list[str] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    first: list[tuple[str, str]] = field(default_factory=list)
    again: int = 0  # messages that are canonicalised again, since a field was missing when they were first


def check(
    store: Store, settings: Settings, mapping: MappingOf, connect: Callable[[str], Connector[Any]], clock: Clock
) -> Report:
    """Ask every system that flows use for its fields, compare, and pause or resume; `connect` opens one anew."""
    found = used(settings, mapping)
    answers: dict[str, Answer] = {}
    unreached: dict[str, LandbridgeError] = {}
    for system in sorted({system for system, _ in found}):
        try:
            connector = connect(system)
            try:
                answers[system] = ask(connector, sorted(entity for name, entity in found if name == system))
            finally:
                connector.close()
        except LandbridgeError as error:
            unreached[system] = error
    report = settle(store, found, answers, clock)
    report.unreached |= unreached
    return report


def ask(connector: Connector[Any], entities: Iterable[str]) -> Answer:
    """Who answers, and what it says of each entity; an entity that is not there or not allowed stands in `failed`."""
    answer = Answer(connector.check())
    for entity in entities:
        try:
            answer.fields[entity] = connector.describe(entity)
        except (Unavailable, OutcomeUnknown):
            raise  # nobody knows anything then
        except LandbridgeError as error:
            answer.failed[entity] = error
    return answer


def settle(store: Store, found: dict[tuple[str, str], Used], answers: dict[str, Answer], clock: Clock) -> Report:
    """Compare answers with what is kept, keep them, and pause or resume what follows; one transaction."""
    with store.transaction("drift") as connection:
        kept.alone(connection)
        return _Settling(connection, found, answers, clock.now()).settle()


class _Settling:
    def __init__(
        self,
        connection: Connection,
        found: dict[tuple[str, str], Used],
        answers: dict[str, Answer],
        now: datetime,
    ) -> None:
        self.connection, self.found, self.answers, self.now = connection, found, answers, now
        self.known = kept.descriptions(connection)
        self.open = {one.key: one for one in kept.drifts(connection)}
        self.report = Report()
        self.standing: dict[tuple[str, str, str, str], Drift] = {}

    def settle(self) -> Report:
        """Everything, in the order: compare, keep, close, pause and resume, note."""
        refused = self.refused()
        for (system, _), uses in self.found.items():
            if system in self.answers and system not in refused:
                self.compare(uses, self.answers[system])
        self.keep(refused)
        self.pause()
        return self.report

    def refused(self) -> set[str]:
        """Systems that answer as somebody else than the store is bound to: their fields say nothing of ours."""
        found = set()
        for system, answer in self.answers.items():
            bound, answers = operate.bound(self.connection, system), answer.identity.organisation
            if bound is not None and bound != answers:
                found.add(system)
                text = f"{system} answers as {answers}, this store is bound to {bound}: its fields are not compared."
                self.report.unreached[system] = LandbridgeError(text, hint=f"landbridge rebind {system}")
        return found

    # -- one entity

    def compare(self, uses: Used, answer: Answer) -> None:
        if uses.entity in answer.failed:
            self.stop(uses, _refusal(uses, answer.failed[uses.entity]), None)
            return
        before = self.known.get((uses.system, uses.entity))
        if before is not None and before.organisation != answer.identity.organisation:
            before = None
        was = read(before.native, before.fields) if before is not None else None
        now = answer.fields[uses.entity]
        if not now.fields:
            if was is not None and was.fields:
                self.stop(uses, _silence(uses, now), before)
            return
        renamed = {one.field: one.renamed for one in self.open.values() if one.renamed in now.fields}
        changes = compare(uses, was, now, renamed, self.now.date())
        stays = dict(now.fields)
        for change in changes:
            if change.routes and self.stop(uses, change, before) and was is not None and change.field in was.fields:
                stays[change.field] = was.fields[change.field]  # goes on being compared with what the routes ran under
        news = [change for change in changes if not change.routes]
        self.report.news += news
        self.keep_description(uses, answer.identity, Fields(now.native, stays), first=was is None)
        if news:
            self.note("drift", uses.system, {"entity": uses.entity, "news": [str(one) for one in news]})

    def stop(self, uses: Used, change: Change, before: Description | None) -> bool:
        """A change stands, unless the lines that it concerns were edited since it was found."""
        known = self.open.get(change.key)
        if known is not None and change.kind in ANSWERED and change.form and change.form != known.form:
            return False
        since = before.asked_at if before is not None else self.now
        accepted = known.accepted if known is not None and known.message == change.message else []
        self.standing[change.key] = Drift(
            *change.key,
            message=change.message,
            hint=change.hint,
            lines=list(change.lines),
            routes=list(change.routes),
            form=change.form,
            reading=change.reading,
            renamed=change.renamed,
            since=known.since if known is not None else since,
            found_at=known.found_at if known is not None else self.now,
            accepted=list(accepted),
        )
        self.report.stopping.append(replace(change, routes=tuple(one for one in change.routes if one not in accepted)))
        if known is None or known.message != change.message:
            said = {"entity": uses.entity, "lines": list(change.lines), "routes": list(change.routes)}
            self.note("drift", uses.system, said | {"message": str(change)})
        return True

    def keep_description(self, uses: Used, identity: Identity, fields: Fields, *, first: bool) -> None:
        if first:
            self.report.first.append((uses.system, uses.entity))
        told = Description(uses.system, uses.entity, identity.organisation, fields.native, written(fields), self.now)
        kept.describe(self.connection, [told])

    # -- what follows

    def keep(self, refused: set[str]) -> None:
        """Keep what stands; close what is gone, and what nothing uses any more."""
        for key, one in self.open.items():
            unused = (one.system, one.entity) not in self.found
            if key in self.standing or (not unused and (one.system not in self.answers or one.system in refused)):
                continue
            kept.close(self.connection, [one])
            self.report.gone.append(one.message)
            self.note("drift_gone", one.system, {"entity": one.entity, "message": one.message})
            if one.reading:
                self.report.again += kept.canonicalise_again(self.connection, one.routes, one.since, one.field)
        kept.put(self.connection, list(self.standing.values()))

    def pause(self) -> None:
        """Pause what a standing change needs, lift what none does."""
        reasons: dict[str, list[str]] = {}
        for one in kept.drifts(self.connection):
            for route in one.routes:
                if route not in one.accepted:
                    reasons.setdefault(route, []).append(_reason(one))
        for route, said in reasons.items():
            if control.pause_route(self.connection, route, "drift", " ".join(said), self.now):
                self.report.paused.append(route)
                self.note("paused", None, {"route": route, "reason": " ".join(said)}, route)
        for route, causes in control.paused_routes(self.connection).items():
            if "drift" in causes and route not in reasons:
                control.resume_route(self.connection, route, "drift")
                self.report.resumed.append(route)
                self.note("resumed", None, {"route": route, "was": causes["drift"]}, route)

    def note(self, event: str, system: str | None, detail: dict[str, Any], route: str | None = None) -> None:
        flow = route.partition("/")[0] if route else None
        control.note(self.connection, event, ACTOR, self.now, flow=flow, system=system, detail=detail)


def _reason(one: Drift) -> str:
    lines = ", ".join(one.lines[:3]) + (f" and {len(one.lines) - 3} more" if len(one.lines) > 3 else "")
    return f"{one.system}: {one.message}{f' ({lines})' if lines else ''}{f' {one.hint}' if one.hint else ''}"


def _refusal(uses: Used, error: LandbridgeError) -> Change:
    routes = tuple(sorted(uses.routes))
    return Change(uses.system, uses.entity, "", "entity", error.message, error.hint, (), routes)


def _silence(uses: Used, now: Fields) -> Change:
    hint = "Look at the rights of the user, then `landbridge check --live`."
    text = f"{now.native} shows no field any more."
    return Change(uses.system, uses.entity, "", "entity", text, hint, (), tuple(sorted(uses.routes)))
