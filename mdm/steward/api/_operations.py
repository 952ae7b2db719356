"""Every operation of the API, once: its address, what it takes, what it gives, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from landbridge.errors import Conflict
from mdm.steward._desk import SAMPLE, Desk
from mdm.steward._figures import Status
from mdm.steward._shown import Asked, Compared, Decided, ShownPair
from mdm.steward._view import ShownGolden, ShownNotice, ShownPreview, View
from mdm.steward.api import _models as sent


@dataclass(frozen=True, slots=True)
class Made:
    """A decision that was made, by whose id it is taken back; or what would follow from it."""

    decision: UUID | None
    preview: ShownPreview | None


@dataclass(frozen=True, slots=True)
class Undone:
    """That a decision was taken back, or what would follow."""

    undone: bool
    preview: ShownPreview | None


@dataclass(frozen=True, slots=True)
class Likes:
    """The waiting pairs of one pattern: how many, and a sample."""

    pattern: str
    pairs: int
    sample: tuple[ShownPair, ...]


@dataclass(frozen=True, slots=True)
class MadeAlike:
    """Decisions about pairs of one pattern, or what would follow from them."""

    decisions: tuple[UUID, ...]
    preview: ShownPreview | None


@dataclass(frozen=True, slots=True)
class ToLabel:
    """Two records to be labelled, and nothing of what the hub thinks of them."""

    a: UUID
    b: UUID
    named: tuple[str, str]
    fields: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """That it was kept."""

    kept: bool


@dataclass(frozen=True, slots=True)
class MadeDismissal:
    """A dismissal that was made, by whose id it is taken back."""

    dismissal: UUID


@dataclass(frozen=True, slots=True)
class Entities:
    """What the hub keeps golden records of."""

    entities: tuple[str, ...]


Act = Callable[[Desk, str, Any], Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `takes` are its query parameters or, of a POST, its body."""

    method: str
    path: str
    name: str
    summary: str
    takes: type[BaseModel] | None
    gives: Any
    act: Act


def _entities(desk: Desk, entity: str, given: None) -> Entities:
    return Entities(tuple(sorted(desk.hub.entities)))


def _queue(desk: Desk, entity: str, given: sent.QueueQuery) -> Sequence[Asked]:
    return View(desk, entity, personal=given.personal).queue(given.most)


def _pair(desk: Desk, entity: str, given: sent.PairQuery) -> ShownPair:
    view = View(desk, entity, personal=given.personal)
    return view.pair(desk.record(entity, given.a), desk.record(entity, given.b))


def _golden(desk: Desk, entity: str, given: sent.GoldenQuery) -> ShownGolden:
    view = View(desk, entity, personal=given.personal)
    return view.golden(desk.record(entity, given.id), valid=given.as_of, recorded=given.known_at)


def _decisions(desk: Desk, entity: str, given: sent.QueueQuery) -> Sequence[Decided]:
    look = View(desk, entity, personal=given.personal).look
    return [look.decided(row) for row in desk.decided(entity, given.most)]


def _decide(desk: Desk, entity: str, given: sent.Decision) -> Made:
    these = [desk.record(entity, one) for one in given.these]
    those = [desk.record(entity, one) for one in given.those]
    pinned = {"attribute": given.attribute, "value": given.value}
    if given.dry_run:
        found = desk.preview(entity, given.verdict, these, those, **pinned)
        return Made(None, View(desk, entity, personal=given.personal).preview(found))
    return Made(desk.decide(entity, given.verdict, these, those, actor=given.by, reason=given.reason, **pinned), None)


def _undo(desk: Desk, entity: str, given: sent.Undo) -> Undone:
    if given.dry_run:
        found = desk.preview_undo(entity, given.decision)
        return Undone(False, View(desk, entity, personal=given.personal).preview(found))
    desk.undo(entity, given.decision, actor=given.by)
    return Undone(True, None)


def _alike(desk: Desk, entity: str, given: sent.PairQuery) -> Likes:
    view = View(desk, entity, personal=given.personal)
    a, b = desk.record(entity, given.a), desk.record(entity, given.b)
    found = desk.alike(entity, a, b)
    pattern = desk.explain(entity, a, b).pattern
    return Likes(pattern, len(found), tuple(view.shown(one) for one in found[:SAMPLE]))


def _decide_alike(desk: Desk, entity: str, given: sent.Alike) -> MadeAlike:
    found = desk.alike(entity, desk.record(entity, given.a), desk.record(entity, given.b))
    pattern = found[0].pattern if found else ""
    if pattern != given.pattern or len(found) != given.pairs:
        told = f"{len(found)} waiting pairs agree so by now, and {given.pairs} of the given pattern were shown."
        raise Conflict(told, hint="Look at them again, then decide.")
    if given.dry_run:
        preview = desk.preview_bulk(entity, given.verdict, found)
        return MadeAlike((), View(desk, entity, personal=given.personal).preview(preview))
    made = desk.bulk(entity, given.verdict, found, actor=given.by, reason=given.reason)
    return MadeAlike(tuple(made), None)


def _unlabelled(desk: Desk, entity: str, given: sent.LabelQuery) -> list[ToLabel]:
    look = View(desk, entity, personal=given.personal).look
    return [
        ToLabel(
            one.a.id,
            one.b.id,
            (look.named(one.a).named, look.named(one.b).named),
            look.compared(one.a.body, one.b.body),
        )
        for one in desk.unlabelled(entity, given.by, given.most)
    ]


def _label(desk: Desk, entity: str, given: sent.NewLabel) -> Kept:
    a, b = desk.record(entity, given.a), desk.record(entity, given.b)
    desk.label(entity, a, b, given.verdict, actor=given.by)
    return Kept(True)


def _notices(desk: Desk, entity: str, given: sent.NoticesQuery) -> Sequence[ShownNotice]:
    return View(desk, entity).notices(dismissed=given.dismissed)


def _dismiss(desk: Desk, entity: str, given: sent.Dismissal) -> MadeDismissal:
    return MadeDismissal(desk.dismiss(entity, given.notice, actor=given.by, reason=given.reason))


def _status(desk: Desk, entity: str, given: None) -> Sequence[Status]:
    return desk.status()


OPERATIONS = (
    Operation("GET", "/v1/entities", "entities", "What the hub keeps.", None, Entities, _entities),
    Operation(
        "GET", "/v1/status", "status", "Every entity at a glance: what waits, since when, what was decided.", None,
        tuple[Status, ...], _status,
    ),
    Operation(
        "GET", "/v1/{entity}/queue", "queue", "What waits for a steward, the most worth asking first.",
        sent.QueueQuery, tuple[Asked, ...], _queue,
    ),
    Operation(
        "GET", "/v1/{entity}/pair", "pair", "Two records side by side, with a waterfall that sums to their weight.",
        sent.PairQuery, ShownPair, _pair,
    ),
    Operation(
        "GET", "/v1/{entity}/golden", "golden", "A golden record with lineage and versions, now or as of a time.",
        sent.GoldenQuery, ShownGolden, _golden,
    ),
    Operation(
        "GET", "/v1/{entity}/decisions", "decisions", "The newest decisions, also those that were taken back.",
        sent.QueueQuery, tuple[Decided, ...], _decisions,
    ),
    Operation(
        "POST", "/v1/{entity}/decisions", "decide", "Decide, or see what would follow.",
        sent.Decision, Made, _decide,
    ),
    Operation(
        "POST", "/v1/{entity}/undo", "undo", "Take a decision back, or see what would follow.",
        sent.Undo, Undone, _undo,
    ),
    Operation(
        "GET", "/v1/{entity}/alike", "alike", "The waiting pairs that agree exactly as this one does.",
        sent.PairQuery, Likes, _alike,
    ),
    Operation(
        "POST", "/v1/{entity}/alike", "decide_alike", "Decide all pairs of one pattern, as they were shown.",
        sent.Alike, MadeAlike, _decide_alike,
    ),
    Operation(
        "GET", "/v1/{entity}/labels", "unlabelled", "Pairs to label blindly.",
        sent.LabelQuery, tuple[ToLabel, ...], _unlabelled,
    ),
    Operation(
        "POST", "/v1/{entity}/labels", "label", "Keep a label; it decides nothing.", sent.NewLabel, Kept, _label
    ),
    Operation(
        "GET", "/v1/{entity}/notices", "notices", "What a steward should know.", sent.NoticesQuery,
        tuple[ShownNotice, ...], _notices,
    ),
    Operation(
        "POST", "/v1/{entity}/dismissals", "dismiss", "Tell a notice no more while it says the same; undone by its id.",
        sent.Dismissal, MadeDismissal, _dismiss,
    ),
)  # fmt: skip
