"""What is told of a message on its way: spans, and log lines. Nothing of it is put together while nobody wants it.

    receive (webhook) or extract (poll) ─ fetch (told by key) ─ process ─ translate ─ deliver, once per attempt

Steps 2 to 4 are one span per message with the times of its batch: they are one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime

from landbridge import telemetry
from landbridge.connector import Accepted, Delivered, Outcome
from landbridge.engine._parts import Parts
from landbridge.errors import Failure, Invalid
from landbridge.store._hooks import Told
from landbridge.store._inbox import Received
from landbridge.store._outbox import Claimed, Outgoing
from landbridge.telemetry import Parent, Span, instant, message_span, told_span, traceparent_of
from landbridge.translator import MissingParent

_log = logging.getLogger("landbridge.engine")
_SERIOUS = frozenset({"rejected", "invalid", "conflict", "denied", "outcome_unknown"})
_SYSTEMS = frozenset({"denied", "unavailable"})  # what they say is about a system, and not about somebody's record

Attributes = dict[str, str | int | bool]
_NOTHING: AbstractContextManager[None] = nullcontext()


def began(parts: Parts) -> datetime | None:
    """Now, if anybody wants to know: a collector of spans, or a program that writes a log (a command does not)."""
    return parts.clock.now() if telemetry.on() or _log.hasHandlers() else None


def processed(
    parts: Parts, start: datetime | None, feed: tuple[str, str], received: Sequence[Received], rows: Sequence[Outgoing]
) -> None:
    """Steps 2 to 4 of a batch that was committed: a span per message, and one where it came in if nobody told of it."""
    if start is None:
        return
    system, entity = feed
    end = parts.clock.now()
    by_message: dict[int, list[Outgoing]] = {}
    for row in rows:
        by_message.setdefault(row.message_id, []).append(row)
    for one in received:
        states = sorted({row.state for row in by_message.get(one.id, ())})
        bad = "quarantined" in states
        if _log.isEnabledFor(level := logging.WARNING if bad else logging.DEBUG):
            known = {"system": system, "entity": entity, "message_id": one.id, "trace": one.trace.hex}
            _log.log(level, "quarantined" if bad else "processed", extra=known)
        if not telemetry.sampled(one.trace):
            continue
        root = told_span(one.trace, system, entity, one.scope, one.key)
        attributes: Attributes = {"landbridge.system": system, "landbridge.entity": entity}
        attributes["landbridge.message"] = one.id
        if one.told_at is None and one.was_subject is None:
            at = instant(one.received_at)
            telemetry.keep(Span(f"extract {system} {entity}", one.trace, root, None, at, at, attributes=attributes))
        more: Attributes = {"landbridge.batch": len(received), "landbridge.states": ",".join(states)}
        telemetry.keep(
            Span(
                f"process {system} {entity}", one.trace, message_span(one.id), root, instant(start), instant(end),
                attributes=attributes | more, failed="quarantined" if bad else "",
            )
        )  # fmt: skip


@contextmanager
def _fetching(parts: Parts, feed: tuple[str, str], named: Sequence[Told]) -> Iterator[str]:
    system, entity = feed
    start, ids = parts.clock.now(), [telemetry.new_span() for _ in named]
    failed = "error"
    try:
        yield traceparent_of(named[0].trace, ids[0], sampled=telemetry.sampled(named[0].trace))
        failed = ""
    except Failure as failure:
        failed = failure.code
        raise
    finally:
        end = parts.clock.now()
        attributes: Attributes = {"landbridge.system": system, "landbridge.entity": entity}
        attributes["landbridge.batch"] = len(named)
        for one, id_ in zip(named, ids, strict=True):
            root = told_span(one.trace, system, entity, one.scope, one.key)
            links = [Parent(named[0].trace, ids[0])] if id_ != ids[0] else []
            telemetry.keep(
                Span(
                    f"fetch {system} {entity}", one.trace, id_, root, instant(start), instant(end), kind="client",
                    attributes=attributes, links=links, failed=failed,
                )
            )  # fmt: skip


def fetching(parts: Parts, feed: tuple[str, str], named: Sequence[Told]) -> AbstractContextManager[str | None]:
    """Reading what webhooks named by its key; gives the `traceparent` that goes with the requests: the first one's."""
    if telemetry.on():
        return _fetching(parts, feed, named)
    first = named[0]
    return nullcontext(traceparent_of(first.trace, told_span(first.trace, *feed, first.scope, first.key)))


@contextmanager
def _translating(parts: Parts, row: Claimed, system: str, entity: str) -> Iterator[None]:
    start, failed = parts.clock.now(), "error"
    try:
        yield
        failed = ""
    except MissingParent:
        failed = "waiting"
        raise
    except Invalid as invalid:
        failed = invalid.code
        raise
    finally:
        attributes = _attributes(row, system, entity)
        telemetry.keep(
            Span(
                f"translate {system} {entity}", row.trace, telemetry.new_span(), message_span(row.message_id),
                instant(start), instant(parts.clock.now()), attributes=attributes,
                failed="" if failed == "waiting" else failed,
            )
        )  # fmt: skip


def translating(parts: Parts, row: Claimed, system: str, entity: str) -> AbstractContextManager[None]:
    """Step 5 of one row."""
    return _translating(parts, row, system, entity) if telemetry.on() else _NOTHING


class Call:
    """One call that writes some rows; `header` is what it sends as `traceparent`: a call carries one trace only."""

    def __init__(self, parts: Parts, system: str, entity: str, rows: Sequence[Claimed]) -> None:
        self._rows, self._where, self._clock = rows, (system, entity), parts.clock
        first = rows[0]
        self._start = began(parts)
        if not telemetry.on():  # the span is the outbox row then, the same at every attempt
            self._ids = [row.id for row in rows]
            self.header = traceparent_of(first.trace, first.id)
            return
        self._ids = [telemetry.new_span() for _ in rows]
        self.header = traceparent_of(first.trace, self._ids[0], sampled=telemetry.sampled(first.trace))

    def ended(self, outcomes: Sequence[Outcome], flows: Mapping[int, str]) -> None:
        """What became of the rows; `flows` by route."""
        if self._start is None:
            return
        start, end = instant(self._start), instant(self._clock.now())
        system, entity = self._where
        for row, id_, outcome in zip(self._rows, self._ids, outcomes, strict=True):
            word = _word(outcome)
            _told(row, outcome, word, flows[row.route_id], system, (end - start) // 1_000_000)
            if not telemetry.on():
                continue
            attributes = _attributes(row, system, entity)
            attributes |= {"landbridge.flow": flows[row.route_id], "landbridge.outcome": word}
            attributes |= {"landbridge.attempt": row.attempts + 1, "landbridge.batch": len(self._rows)}
            if isinstance(outcome, Failure) and (outcome.status or "").isdigit():
                attributes["http.response.status_code"] = int(outcome.status or 0)
            telemetry.keep(
                Span(
                    f"deliver {system} {entity}", row.trace, id_, message_span(row.message_id), start, end,
                    kind="client", attributes=attributes, links=self._links(id_),
                    failed=word if isinstance(outcome, Failure) else "",
                )
            )  # fmt: skip

    def _links(self, id_: int) -> list[Parent]:
        return [] if id_ == self._ids[0] else [Parent(self._rows[0].trace, self._ids[0])]


def _told(row: Claimed, outcome: Outcome, word: str, flow: str, system: str, spent: int) -> None:
    """A line per attempt: of debugging where it went well, a warning where it is not simply tried again."""
    level = logging.WARNING if word in _SERIOUS else logging.INFO if isinstance(outcome, Failure) else logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    known: dict[str, object] = {
        "flow": flow, "system": system, "message_id": row.message_id, "row": row.id, "trace": row.trace.hex,
        "version": row.version, "attempt": row.attempts + 1, "ms": spent,
    }  # fmt: skip
    if isinstance(outcome, Failure):
        known |= {"status": outcome.status or None, "why": outcome.message if word in _SYSTEMS else None}
    _log.log(level, word, extra=known)


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Delivered):
        return "delivered"
    return "accepted" if isinstance(outcome, Accepted) else outcome.code


def _attributes(row: Claimed, system: str, entity: str) -> Attributes:
    return {
        "landbridge.system": system,
        "landbridge.entity": entity,
        "landbridge.message": row.message_id,
        "landbridge.row": row.id,
        "landbridge.version": row.version,
    }
