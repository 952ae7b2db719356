"""One look of the gate at what waits in a feed: every rule of every flow that reads it, before anything is processed.

Messages are read and made canonical chunk by chunk; great-expectations judges each chunk, and rules across the batch at
its end. What is wrong with single messages is kept beside them until processing takes it, and the results stay.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from landbridge.engine import canonicalise
from landbridge.errors import Finding, Invalid
from landbridge.gate._frames import Frame, frames, shown
from landbridge.gate._page import SHOWN, About, Tally, write_page
from landbridge.quality import Rule, Rules, finding_of
from landbridge.settings import Flow
from landbridge.store import control, identity, inbox
from landbridge.store import quality as kept
from landbridge.store._identity import Key

if TYPE_CHECKING:
    from landbridge.gate._judge import Judge, Said
    from landbridge.installation import Installation

CHUNK = 5000
"""Messages that are judged at a time: what of a batch is in memory at once, besides the columns of rules across it."""

SAMPLE = 20
"""Keys of records that are kept with a result."""

_log = logging.getLogger("landbridge")


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found for one flow."""

    flow: str
    rules: str
    run: UUID
    messages: int
    outcome: str
    page: str
    results: tuple[kept.Result, ...]
    reason: str = ""

    @property
    def stopped(self) -> bool:
        """Whether the flow was paused for it: nothing of the batch is to be processed."""
        return self.outcome == "stopped"


def look(installation: Installation, flow: str, run: UUID | None = None) -> list[Looked]:
    """Look at what waits in a flow's feed, for every enabled flow with rules that reads it; [] where nothing waits.

    Where nothing waits it is done within milliseconds, and great-expectations is not imported.
    """
    system, entity = installation.settings.flow(flow).feed
    flows = [one for one in installation.settings.subscribers(system, entity) if one.check.quality != "none"]
    if not flows:
        return []
    with installation.store.transaction("gate") as connection:
        feed_id, _ = inbox.feed(connection, system, entity)
        number, last = kept.last_waiting(connection, feed_id)
        if not number:
            return []
    from landbridge.gate._judge import Judge

    judge = Judge()
    found = []
    for name in dict.fromkeys(one.check.quality for one in flows):
        reading = [one for one in flows if one.check.quality == name]
        batch = _Batch(installation, judge, installation.settings.quality[name], reading, (system, entity))
        batch.read(feed_id, last)
        found += [batch.decide(one, run or installation.engine.parts.ids(), feed_id, last) for one in reading]
    return found


def standing(installation: Installation, flow: str) -> str | None:
    """Why a flow is paused, if its gate stopped it and nobody has resumed it."""
    with installation.store.reading() as connection:
        reason = control.paused(connection).get(flow)
        last = kept.last_runs(connection, flow, 1)
    return reason if reason is not None and last and last[0].outcome == "stopped" else None


class _Batch:
    """What waits, judged by the rules of one file."""

    def __init__(
        self, installation: Installation, judge: Judge, rules: Rules, flows: Sequence[Flow], feed: tuple[str, str]
    ) -> None:
        self.installation = installation
        self.judge = judge
        self.rules = rules
        self.flows = flows
        self.feed = feed
        self.tallies = {rule.id: Tally(rule) for rule in rules.rules}
        self.messages = 0
        self.invalid = 0
        self.began = time.monotonic()
        self._frames = frames(rules)
        self._keys: set[tuple[str, str]] = set()  # scope and key of the batch's own records
        self._undecided: dict[str, list[tuple[int, Finding]]] = {}  # of rules whose verdict needs the whole batch
        self._found: dict[str, dict[int, list[Finding]]] = {one.flow: {} for one in flows}  # kept once all is decided

    def read(self, feed_id: int, last: int) -> None:
        """Judge every chunk, and then the rules across all of them."""
        parts = self.installation.engine.parts
        mapping = parts.mappings[self.feed]
        with self.installation.store.reading(patient=True) as connection:
            for chunk in kept.waiting(connection, feed_id, last, CHUNK):
                for one in chunk:
                    self.messages += 1
                    body = canonicalise(parts, mapping, self.feed[1], one.body, self.feed[0], one.scope)
                    if isinstance(body, Invalid):
                        self.invalid += 1  # processing sets it aside with what is wrong with it
                        continue
                    self._keys.add((one.scope, one.key))
                    for frame in self._frames:
                        frame.add(one.id, one.key, body)
                for frame in self._frames:
                    if not frame.whole:
                        self._judge(frame)
        for frame in self._frames:
            if frame.whole:
                self._judge(frame)

    def _judge(self, frame: Frame) -> None:
        known = self._known(frame) if frame.rules[0].known else ()
        found: dict[int, list[Finding]] = {}
        for said in self.judge.ask(frame, known):
            self._count(frame, said)
            for id_, finding in self._findings(frame, said):
                found.setdefault(id_, []).append(finding)
        for flow in self.flows:
            for id_, many in found.items():
                if chosen := [one for one in many if self._kept(one, flow)]:
                    self._found[flow.flow].setdefault(id_, []).extend(chosen)
        frame.clear()

    def _count(self, frame: Frame, said: Said) -> None:
        tally = self.tallies[said.rule.id]
        tally.chunks += 1
        tally.evaluated += said.evaluated
        tally.missing += said.missing
        tally.unexpected += len(said.wrong)
        tally.verdict, tally.observed = said.success, said.observed
        for at in said.wrong:
            id_, key, _ = frame.owners[at]
            tally.last = max(tally.last, id_)
            if len(tally.keys) < SAMPLE:
                tally.keys.setdefault(key)
            if len(tally.values) < SHOWN:
                values = shown(frame.values(said.rule, at), personal=said.rule.personal)
                tally.values.append(values[0] if len(values) == 1 else tuple(values))

    def _findings(self, frame: Frame, said: Said) -> Iterator[tuple[int, Finding]]:
        rule = said.rule
        if not (rule.batch_only or rule.expectation.severity == "critical") or not rule.columns:
            return
        for at in said.wrong:
            id_, _, positions = frame.owners[at]
            finding = finding_of(rule, positions, frame.values(rule, at))
            if rule.mostly < 1:
                self._undecided.setdefault(rule.id, []).append((id_, finding))
            else:
                yield id_, finding

    def _kept(self, finding: Finding, flow: Flow) -> bool:
        """What processing cannot find by itself; for a flow that stops also what it can, so that it stops once."""
        rule = self.tallies[finding.rule].rule
        return rule.batch_only or rule.mostly < 1 or flow.check.on_fail == "stop"

    def _known(self, frame: Frame) -> set[str]:
        """Which references of a frame are of records that are known here, or in this very batch."""
        (rule,) = frame.rules
        written = {value for value in frame.cells.get(rule.columns[0].path, ()) if isinstance(value, str)}
        keys = {text: key for text in written if (key := _key(text)) is not None}
        known = {text for text, key in keys.items() if self._own(key)}
        asked = sorted(keys.keys() - known)
        with self.installation.store.reading() as connection:
            for start in range(0, len(asked), CHUNK):
                some = {text: keys[text] for text in asked[start : start + CHUNK]}
                who = identity.lookup(connection, set(some.values()))
                known |= {text for text, key in some.items() if key in who and not who[key].mentioned}
        return known

    def _own(self, key: Key) -> bool:
        return (key.system, key.entity) == self.feed and (key.scope, key.id) in self._keys

    # -- what follows ------------------------------------------------------------------------------------------------

    def decide(self, flow: Flow, run: UUID, feed_id: int, last: int) -> Looked:
        """What the results mean for one flow: kept with their page, and the flow paused where it asks for that.

        Findings take the place of an earlier look's in the transaction that keeps the results: whoever processes
        meanwhile sees the one or the other, and never half of them.
        """
        broken = [one for one in self.tallies.values() if not one.success]
        critical = [one for one in broken if one.rule.expectation.severity == "critical"]
        self._settle(flow, {one.rule.id for one in critical})
        outcome, reason = self._outcome(flow, broken, critical, last)
        now = self.installation.clock.now()
        about = About(flow.flow, str(run), self.rules.name, now, self.messages, self.invalid, outcome)
        page = write_page(self.installation.state, about, list(self.tallies.values()))
        results = tuple(_result(one) for one in self.tallies.values())
        spent = round(1000 * (time.monotonic() - self.began))
        looked = kept.Looked(
            run, flow.flow, self.rules.name, self.messages, self.invalid, outcome, last, page, spent, now
        )
        with self.installation.store.transaction("gate") as connection:
            kept.forget_findings(connection, flow.flow, feed_id, last)
            kept.put_findings(connection, flow.flow, self._found[flow.flow], now)
            kept.put_run(connection, looked, results)
            if outcome == "stopped" and control.pause(connection, flow.flow, reason, now):
                detail = {"reason": reason, "run": str(run), "page": page}
                control.note(connection, "paused", "quality gate", now, flow=flow.flow, detail=detail)
        return Looked(flow.flow, self.rules.name, run, self.messages, outcome, page, results, reason)

    def _settle(self, flow: Flow, critical: set[str]) -> None:
        """Now that every verdict is known: what breaks a share that does not hold counts, the rest is noted."""
        found = self._found[flow.flow]
        for rule, many in self._undecided.items():
            for id_, finding in many:
                found.setdefault(id_, []).append(replace(finding, severity="critical") if rule in critical else finding)

    def _outcome(self, flow: Flow, broken: Sequence[Tally], critical: Sequence[Tally], last: int) -> tuple[str, str]:
        if not critical or flow.check.on_fail == "warn":
            return ("warned" if broken else "passed"), ""
        names = ", ".join(_told(one) for one in critical[:3]) + (" …" if len(critical) > 3 else "")
        if flow.check.on_fail == "stop" and self._news(flow, critical, last):
            return "stopped", f"the quality gate found in {self.messages} messages: {names}"
        return "quarantined", names

    def _news(self, flow: Flow, critical: Sequence[Tally], last: int) -> bool:
        """Whether anything broke it that the look which stopped the flow last did not see: that, a person let on.

        A rule that is broken by the batch as a whole is broken anew once another message has come.
        """
        with self.installation.store.reading() as connection:
            seen = kept.last_stop(connection, flow.flow)
        return any((one.last if one.rule.columns else last) > seen for one in critical)


def _told(one: Tally) -> str:
    what = one.rule.expectation.notes.rstrip(".") or one.rule.id
    return f"{what} ({one.observed})" if one.observed is not None else f"{what} ({one.unexpected} of {one.evaluated})"


def _result(one: Tally) -> kept.Result:
    rule: Rule = one.rule
    return kept.Result(
        rule.id,
        rule.type,
        rule.expectation.severity,
        one.evaluated,
        one.unexpected,
        one.success,
        one.observed,
        tuple(one.keys),
    )


def _key(text: str) -> Key | None:
    parts: list[Any] = text.split("|", 3)
    if len(parts) < 4:
        return None
    system, scope, entity, id_ = (part if part != "-" else "" for part in parts)
    return Key(system, entity, scope, id_)


def page_path(installation: Installation, page: str) -> Path:
    """Where a page stands."""
    return installation.state / page
