"""The golden record of a group: values, where each came from, how good they are, and a hash of what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from mdm.declaration import Declaration, Features, Rule
from mdm.survive._chain import narrowed
from mdm.survive._plan import Plan, plan_of
from mdm.survive._quality import quality
from mdm.survive._united import united
from mdm.survive._values import fingerprint, says, text_of


@dataclass(frozen=True, slots=True)
class Member:
    """One record of the group, as its current version says."""

    record: UUID
    system: str
    scope: str
    key: str
    stamp: datetime
    sequence: int
    digest: str
    body: Mapping[str, Any]
    features: Features = field(default_factory=dict)
    deleted: bool = False

    @property
    def place(self) -> tuple[str, str, str, UUID]:
        """What decides where nothing else does: the system's code, then its id; never the order of arrival."""
        return (self.system, self.scope, self.key, self.record)


@dataclass(frozen=True, slots=True)
class Pin:
    """A value that a steward set; it holds whatever the records say."""

    id: UUID
    attribute: str
    value: Any
    at: datetime
    by: str
    losing: str | None = None
    """Fingerprint of what would have won when it was set: once that moves, the pin asks to be looked at."""


@dataclass(frozen=True, slots=True)
class Golden:
    """What a group of records says together."""

    values: dict[str, Any]
    lineage: dict[str, Any]
    """`versions`: the members' versions; `stories`: [attributes, from, rule, losers by rule, pin]; see `told`."""
    quality: dict[str, Any]
    hash: str
    """Of the values and of whether it is deleted: equal where there is nothing to publish."""
    deleted: bool = False
    moved: tuple[str, ...] = ()
    """Attributes whose pin hides a value that is another now than when it was pinned."""
    unpinned: Mapping[str, str] = field(default_factory=dict)
    """Per pinned attribute, the fingerprint of what would win without the pin."""


@dataclass(slots=True)
class _Story:
    """How one attribute, or one group of them, found its value."""

    attributes: list[str]
    winners: list[int]
    rule: str
    losers: list[tuple[int, str]]
    pin: UUID | None = None


def survive(members: Sequence[Member], declaration: Declaration, pins: Sequence[Pin] = ()) -> Golden:
    """The golden record of these members. Deleted members give no value, unless there is no other."""
    if not members:
        raise ValueError("a golden record has at least one member")
    plan = plan_of(declaration)
    if len(members) == 1 and not pins:
        return _alone(members[0], plan)
    return _together(members, plan, pins)


def _together(members: Sequence[Member], plan: Plan, pins: Sequence[Pin]) -> Golden:
    ordered = sorted(members, key=lambda one: one.place)
    deleted = all(one.deleted for one in ordered)
    giving = [(n, one) for n, one in enumerate(ordered) if deleted or not one.deleted]
    values: dict[str, Any] = {}
    stories: list[_Story] = []
    for attributes, chain in _groups([one for _, one in giving], plan):
        candidates = [(n, one) for n, one in giving if any(says(one.body.get(name)) for name in attributes)]
        if candidates:
            found, story = _decide(candidates, attributes, chain, plan)
            values |= found
            stories.append(story)
    moved, unpinned = _pin(values, stories, pins)
    return Golden(
        values,
        _lineage(ordered, stories),
        quality([one for _, one in giving], values, plan.asked),
        fingerprint([values, deleted]),
        deleted,
        moved,
        unpinned,
    )


def _alone(member: Member, plan: Plan) -> Golden:
    """The golden record of one record, without a look at rules that have nothing to decide."""
    said = {name for name, value in member.body.items() if says(value)}
    order = [name for name in plan.order if name in said] + sorted(said - plan.covered)
    values = {name: member.body[name] for name in order}
    stories = [[order, [0], "only", [], None]] if order else []
    return Golden(
        values,
        {"versions": [_source(member)], "stories": stories},
        quality([member], values, plan.asked),
        fingerprint([values, member.deleted]),
        member.deleted,
    )


def _groups(members: Sequence[Member], plan: Plan) -> list[tuple[tuple[str, ...], Sequence[Rule]]]:
    others = sorted({name for one in members for name in one.body} - plan.covered)
    return [*plan.named, *(((name,), plan.declaration.others) for name in others)]


def _decide(
    candidates: list[tuple[int, Member]], attributes: tuple[str, ...], chain: Sequence[Rule], plan: Plan
) -> tuple[dict[str, Any], _Story]:
    left, losers, rule = candidates, list[tuple[int, str]](), "only"
    for link in chain:
        if len(left) == 1:
            break
        if link.kind == "all":
            if all(isinstance(one.body.get(name) or [], list) for _, one in left for name in attributes):
                bodies = [one.body for _, one in left]
                lists = {name: united(bodies, name, plan.elements_of(name)) for name in attributes}
                winners = [n for n, _ in left]
                return (
                    {name: value for name, value in lists.items() if value},
                    _Story([name for name, value in lists.items() if value], winners, "all", losers),
                )
            continue  # what is no list cannot be united: the next rule decides
        kept = {id(one) for one in narrowed(link, [one for _, one in left], attributes, plan.declaration)}
        losers += [(n, link.kind) for n, one in left if id(one) not in kept]
        left = [(n, one) for n, one in left if id(one) in kept]
        rule = link.kind
    if len(left) > 1:
        losers += [(n, "tie") for n, _ in left[1:]]
        rule = "tie"
    winner, member = left[0]
    found = {name: member.body[name] for name in attributes if says(member.body.get(name))}
    return found, _Story([name for name in attributes if name in found], [winner], rule, losers)


def _pin(values: dict[str, Any], stories: list[_Story], pins: Sequence[Pin]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Set what stewards pinned; of two pins on one attribute the later holds."""
    holding = {pin.attribute: pin for pin in sorted(pins, key=lambda one: (one.at, one.id))}
    moved: list[str] = []
    unpinned: dict[str, str] = {}
    for name, pin in sorted(holding.items()):
        unpinned[name] = fingerprint(values.get(name))
        if pin.losing is not None and pin.losing != unpinned[name]:
            moved.append(name)
        for story in stories:
            if name in story.attributes:
                story.attributes.remove(name)
                beaten = [(n, "pin") for n in story.winners]
                stories.append(_Story([name], [], "pin", [*story.losers, *beaten], pin.id))
                break
        else:
            stories.append(_Story([name], [], "pin", [], pin.id))
        values[name] = pin.value
        if not says(pin.value):
            del values[name]
    return tuple(moved), unpinned


def _lineage(members: Sequence[Member], stories: Sequence[_Story]) -> dict[str, Any]:
    versions = [_source(one) for one in members]
    same: dict[bytes, list[Any]] = {}
    for story in stories:
        rest = [story.winners, story.rule, [list(one) for one in story.losers], story.pin and str(story.pin)]
        told = same.setdefault(text_of(rest), [[], *rest])
        told[0] += story.attributes
    return {"versions": versions, "stories": [one for one in same.values() if one[0]]}


def _source(m: Member) -> list[Any]:
    return [str(m.record), m.system, m.scope, m.key, m.stamp.isoformat(), m.sequence, m.digest]
