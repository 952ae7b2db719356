"""Step 5, translate: a claimed row becomes a write for its target, or is settled without one."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from landbridge.connector import Action, Connector, Entity, LineWrite, Write
from landbridge.engine._lines import changed, changes, join, split
from landbridge.engine._process import Subscription
from landbridge.engine._refs import uuid_of
from landbridge.engine._rules import Breach, owned
from landbridge.settings import EntityOwnership
from landbridge.store._identity import Link
from landbridge.store._outbox import Claimed, Shadow
from landbridge.translator import Context, MissingParent

GONE = "gone"
"""The mark in a shadow of a record that we deleted or blocked: an echo is known by it, a change is not."""


def reference_of(subject: UUID) -> str:
    """Our reference of a record in a target: 28 characters, ours alone, the same over restarts and retries."""
    return "LB" + b32encode(subject.bytes).decode().rstrip("=")


@dataclass(slots=True)
class Plan:
    """What one claimed row asks of its target."""

    row: Claimed
    subscription: Subscription
    link: Link | None
    shadow: Shadow | None
    refers: list[tuple[str, UUID]] = field(default_factory=list)  # what its body refers to, as (entity, subject)
    header: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)
    canonical: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    expected: str | None = None
    policy: str = ""
    breaches: list[Breach] = field(default_factory=list)
    poor: bool = False  # a golden record that is not good enough to be created there
    gone: frozenset[str] = frozenset()  # line keys cancelled at the source

    @property
    def target_id(self) -> str | None:
        """The record's id in the target, from an earlier delivery, an adoption or an earlier stage."""
        return self.link.id if self.link is not None else self.row.target_id

    @property
    def action(self) -> Action:
        """What is asked: a staged create goes on as one."""
        if self.row.action == "delete":
            return "delete"
        return "create" if self.link is None else "update"

    @property
    def content(self) -> dict[str, Any]:
        """What the target record will hold of ours: the next shadow."""
        return join(self.header, self.lines)

    @property
    def unchanged(self) -> bool:
        """True if the target holds this already: no field of the header differs and every line is kept."""
        fresh = self.row.was != "unknown" and self.row.stage is None and self.row.action == "upsert"
        if self.shadow is None or not fresh:
            return False
        header = self.shadow.content.get("header") or {}
        return not changed(header, self.header) and all(line.action == "keep" for line in self._line_writes())

    def _line_writes(self) -> tuple[LineWrite, ...]:
        before: Mapping[str, Any] = self.shadow.content.get("lines") or {} if self.shadow is not None else {}
        if self.link is None or not self.link.origin:
            return changes(before, self.lines, self.numbers)
        # The document is the target's own: its lines are numbered by our keys, and only it adds or ends lines.
        numbers = {key: key for key in self.lines if ":" not in key}
        return tuple(line for line in changes(before, self.lines, numbers) if line.action in ("update", "keep"))

    def write(self, entity: Entity) -> Write:
        """The write for the connector, with header and line changes against what was delivered last."""
        before = self.shadow.content if self.shadow is not None else {}
        old_header: Mapping[str, Any] = before.get("header") or {}
        return Write(
            entity=self.subscription.route.entity,
            action=self.action,
            subject=self.row.subject,
            version=self.row.version,
            key=f"{self.subscription.flow.flow}:{self.row.route_id}:{self.row.subject}:{self.row.version}",
            reference=reference_of(self.row.subject),
            after=self.header,
            changed=changed(old_header, self.header) if self.action == "update" else self.header,
            before=dict(old_header) or None,
            target_id=self.target_id,
            expected=self.expected,
            lines=self._line_writes() if entity.lines is not None else (),
            scope=self.link.scope if self.link is not None else "",
            stage=self.row.stage,
            handle=self.row.handle,
            policy=self.policy,
        )


def translate(
    plan: Plan,
    target: Connector[Any],
    mapping: Any,
    rules: EntityOwnership,
    source: str,
    links: Mapping[UUID, Link],
    now: datetime,
) -> None:
    """Fill the plan's header and lines; raises MissingParent or Invalid."""
    canonical = owned(plan.row.body, rules, source, target_has_it=plan.link is not None)
    need(plan.refers, plan.subscription.route.after, links)
    theirs = plan.link is not None and plan.link.origin  # the target's own document: it decides what is cancelled
    plan.canonical, plan.gone = (canonical, frozenset()) if theirs else _without_cancelled(canonical)
    context = Context(
        system=target.name,
        scope=plan.link.scope if plan.link is not None else "",
        now=now,
        target_id=_target_ids(links),
        line_id=_line_ids(plan, links),
    )
    body = mapping.write(plan.canonical, context, creating=plan.link is None)
    plan.header, plan.lines = split(body, target.entity(plan.subscription.route.entity).lines)
    plan.numbers = dict(plan.link.lines) if plan.link is not None else {}
    plan.expected = plan.link.target_version if plan.link is not None else None


def need(refers: list[tuple[str, UUID]], after: tuple[str, ...], links: Mapping[UUID, Link]) -> None:
    """A child goes after its parents: MissingParent names the first that has no id in the target yet."""
    for entity, subject in refers:
        if subject not in links and entity in after:
            raise MissingParent(entity, str(subject))


def _without_cancelled(canonical: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    lines = canonical.get("lines")
    if not lines:
        return canonical, frozenset()
    whole = canonical.get("status") == "cancelled"
    gone = frozenset(str(line.get("line_key")) for line in lines if whole or line.get("cancel_reason"))
    if not gone:
        return canonical, gone
    return {**canonical, "lines": [line for line in lines if str(line.get("line_key")) not in gone]}, gone


def _target_ids(links: Mapping[UUID, Link]) -> Any:
    def target_id(entity: str, subject: str) -> str:
        found = links.get(uuid_of(subject))
        if found is None:
            raise MissingParent(entity, subject)
        return found.id

    return target_id


def _line_ids(plan: Plan, links: Mapping[UUID, Link]) -> Any:
    def line_id(line_key: Any) -> str | None:
        key = str(line_key)
        own = [plan.link] if plan.link is not None else []
        known = [*own, *(links[subject] for _, subject in plan.refers if subject in links)]
        for link in known:
            if key in link.lines:
                return link.lines[key]
        return key if ":" not in key and any(link.origin for link in known) else None

    return line_id
