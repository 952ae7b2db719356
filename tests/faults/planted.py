"""The classic mistakes, planted into a worker on purpose: the harness must see each of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from landbridge.connector import Delivered
from landbridge.engine import _deliver, _extract, _plan
from landbridge.engine._deliver import Deliver
from landbridge.engine._plan import Plan
from landbridge.signatures import _verify
from landbridge.store import inbox, outbox
from landbridge.time import uuid7
from landbridge.webhook import _committer
from landbridge.webhook._committer import Committer


def marked_done_before_sending() -> None:
    """The outcome is recorded first, and then the write is sent."""
    whole = Deliver._call

    def early(self, target, chunk, settle):
        self._record([settle.recorded(plan, Delivered(plan.target_id or "4711"), 0) for plan in chunk])
        return whole(self, target, chunk, settle)

    Deliver._call = early


def a_new_key_per_attempt() -> None:
    """Neither the idempotency key nor our reference is the same at the next attempt."""
    for module in (_plan, _deliver):
        module.reference_of = lambda subject: f"LB{uuid7()}"
    whole = Plan.write

    def fresh(self, entity):
        write = whole(self, entity)
        object.__setattr__(write, "key", str(uuid7()))
        return write

    Plan.write = fresh


def cursor_moved_before_the_commit() -> None:
    """The cursor stands after a page before the page's rows do."""
    whole = _extract.extract

    def hasty(parts, system, entity, **more):
        def moved(pages):
            for page in pages:
                with parts.store.transaction("cursor") as connection:
                    feed_id, _ = inbox.feed(connection, system, entity)
                    inbox.move_cursor(connection, feed_id, page.cursor, parts.clock.now())
                yield page

        _extract.ahead = moved
        return whole(parts, system, entity, **more)

    inbox.advance_cursor = lambda *_: True
    from landbridge.engine import _engine

    _engine.extract = hasty


def no_fencing() -> None:
    """Who lost its lease still records, and still sends."""
    unfenced = str(outbox._RECORD).replace("and o.fence = r.fence and o.state = 'claimed'", "")
    assert unfenced != str(outbox._RECORD)
    outbox._RECORD = text(unfenced)
    _forget_leases()


def _forget_leases() -> None:
    whole = Deliver._call

    def careless(self, target, chunk, settle):
        self.until = None
        return whole(self, target, chunk, settle)

    Deliver._call = careless


def asked_at_once() -> None:
    """An unknown outcome is asked for without the settle time."""
    Deliver._settle_time = lambda self, target: timedelta(0)


def acknowledged_before_the_commit() -> None:
    """The sender hears 2xx, and then what it sent is kept."""
    whole = Committer._commit

    def hasty(self, group):
        for one in group:
            _committer._answer(one, 1)
        time.sleep(0.02)
        whole(self, group)

    Committer._commit = hasty


def everything_believed() -> None:
    """Whatever is given as a signature is believed."""
    _verify._matching = lambda expected, given: None


def everything_broken() -> None:
    """What is wrong with a signature leaves as another error than a refusal."""
    _verify._matching = lambda expected, given: 1 / int(bool(set(expected) & set(given)))
    _verify._checked = lambda proof, request: _verify._CHECKS[type(proof)](proof, request)


DOOR = (everything_believed, everything_broken)
"""Faults of the door, which its own hunts find."""
FAULTS: dict[str, Callable[[], None]] = {
    fault.__name__: fault
    for fault in (
        marked_done_before_sending,
        a_new_key_per_attempt,
        cursor_moved_before_the_commit,
        no_fencing,
        asked_at_once,
        acknowledged_before_the_commit,
    )
}


def plant(name: str) -> None:
    """Plant one fault into this process; none if the name is empty."""
    if name:
        {**FAULTS, **{fault.__name__: fault for fault in DOOR}}[name]()
