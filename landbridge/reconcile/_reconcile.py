"""One reconcile of one flow: look, report, and on request send again what differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from landbridge.engine import Engine
from landbridge.errors import Rejected
from landbridge.reconcile._look import Look
from landbridge.reconcile._send import FROM_SOURCE, FROM_TARGET, Send
from landbridge.reconcile._source import Source
from landbridge.reconcile._target import Target
from landbridge.store import control, inbox, reconciling
from landbridge.store._reconcile import Difference

KINDS = {
    "missing": "at the source, and never received",
    "late": "changed at the source, and the change was not received",
    "deleted": "gone at the source, and nobody told",
    "unlinked": "received before a route was there, and not in its target",
    "lost": "delivered, and gone in the target",
    "changed": "delivered, and changed in the target since",
    "theirs": "changed in the target in fields that are the target's own: only told",
}
"""What a difference may be."""

FEW = 5
"""So many records may be gone whatever part of all that is."""


@dataclass(slots=True)
class Report:
    """What one reconcile found, and what it sent."""

    run: UUID
    flow: str
    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Difference]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    refused: str = ""
    applied: bool = False
    targets: bool = True

    @property
    def differences(self) -> int:
        """Records that differ, what is only told included."""
        return sum(self.counts[kind] for kind in KINDS)

    @property
    def left(self) -> int:
        """Records that differ and that this reconcile did not send."""
        if not self.applied:
            return self.differences - self.counts["theirs"]
        return 0 if self.targets else sum(self.counts[kind] for kind in FROM_TARGET)


def reconcile(
    engine: Engine,
    name: str,
    *,
    apply: bool = False,
    targets: bool = True,
    most: float = 20,
    accept: bool = False,
    trigger: str = "reconcile",
) -> Report:
    """Compare a flow's source and targets with what was received and delivered; with `apply` send what differs.

    With `apply` the feed is read first, so that what is only not yet read is no finding. If more than `most` per cent
    of the known records are gone (and more than a few), nothing is sent unless a person says `accept`. Without
    `targets`, what differs in the targets is reported and not sent. The run is kept with its counts.
    """
    parts, flow = engine.parts, engine.parts.flows[name]
    run = parts.ids()
    with parts.store.transaction("reconcile") as connection:
        feed_id, _ = inbox.feed(connection, *flow.feed)
        parameters = {"apply": apply, "targets": targets, "accept": accept}
        control.begin_run(connection, run, name, trigger, parameters, parts.clock.now())
        reconciling.begin(connection, name)
    look = Look(engine, flow, run, feed_id)
    report = Report(run, name, look.counts, look.samples, look.skipped, targets=targets)
    try:
        for system in (flow.extract.source, *(route.to for route in flow.deliver)):
            engine.bind(system)
        if apply:
            engine.extract(flow)
            engine.process(*flow.feed)
        _compare(look)
        if apply:
            _send(look, report, targets=targets, most=most, accept=accept)
    except Exception as error:
        _end(look, "failed", str(error) or type(error).__name__)
        raise
    _end(look, "failed" if report.refused else "succeeded", report.refused or None)
    return report


def _compare(look: Look) -> None:
    system, entity = look.flow.feed
    if look.engine.parts.systems[system].entity(entity).snapshot:
        look.skipped.append(f"{system} {entity} is read as a whole each time: its feed tells everything.")
    else:
        _looked(look, system, entity, Source(look))
    for subscription in look.engine.subscriptions(look.flow.flow):
        system, entity = subscription.route.to, subscription.route.entity
        declared = look.engine.parts.systems[system].entity(entity)
        if not declared.readable:
            look.skipped.append(f"{system} {entity} is only written: it cannot be compared.")
        else:
            _looked(look, system, entity, Target(look, subscription))


def _looked(look: Look, system: str, entity: str, side: Source | Target) -> None:
    try:
        side.compare()
    except NotImplementedError:
        look.skipped.append(f"{system} {entity}: its connector cannot name all keys.")


def _send(look: Look, report: Report, *, targets: bool, most: float, accept: bool) -> None:
    counts = look.counts
    for gone, of, where in (("deleted", "known", "the source"), ("lost", "linked", "a target")):
        if gone == "lost" and not targets:
            continue
        limit = max(FEW, counts[of] * most / 100)
        if counts[gone] > limit and not accept:
            report.refused = str(
                Rejected(
                    f"{look.flow.flow}: {counts[gone]} of {counts[of]} records are gone in {where}, "
                    f"more than {most:g} %: nothing was sent.",
                    hint="Look whether that system was restored, emptied or is read with fewer rights; if they are "
                    "really gone: --accept.",
                )
            )
            return
    counts["sent"] = Send(look).all((*FROM_SOURCE, *FROM_TARGET) if targets else FROM_SOURCE)
    report.applied = True
    if counts["sent"]:
        look.engine.process(*look.flow.feed)
        for counted in look.engine.deliver({look.flow.flow}).values():
            counts.update({word: counted[word] for word in ("created", "updated") if counted[word]})
            if counted["deleted"]:
                counts["deletions_delivered"] += counted["deleted"]


def _end(look: Look, state: str, error: str | None) -> None:
    parts = look.engine.parts
    with parts.store.transaction("reconcile") as connection:
        counts = {word: number for word, number in look.counts.items() if number}
        control.end_run(connection, look.run, state, counts, error, parts.clock.now())
