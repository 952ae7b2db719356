"""What follows from an outcome: the next state of an outbox row, and when it is due."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from landbridge.connector import Accepted
from landbridge.errors import Conflict, Denied, Failure, Invalid, OutcomeUnknown, Rejected, Unavailable
from landbridge.settings import Flow

DENIED_PAUSE = timedelta(minutes=1)
"""How far a denied row is put off: the flow is paused anyway, and resumed by a person."""


@dataclass(frozen=True, slots=True)
class Next:
    """The next state of a row; `done` states leave the lane."""

    state: str
    due: datetime
    done: bool
    counted: bool = True


def after_failure(
    failure: Failure, flow: Flow, attempts: int, since: datetime, now: datetime, settle: timedelta
) -> Next:
    """Decide by the class of a failure alone (`landbridge.errors` is the table)."""
    if isinstance(failure, Rejected):
        return Next("dead", now, done=True)
    if isinstance(failure, Conflict):
        return Next("conflict", now, done=True)
    if isinstance(failure, Invalid):
        return Next("quarantined", now, done=True)
    if isinstance(failure, Denied):
        return Next("ready", now + DENIED_PAUSE, done=False, counted=False)
    if isinstance(failure, OutcomeUnknown):
        return Next("unknown", now + settle, done=False)
    retry = flow.retry
    asked = failure.wait if isinstance(failure, Unavailable) and failure.wait is not None else 0.0
    left = since + retry.within - now
    if attempts >= retry.attempts or left <= timedelta(seconds=asked):
        return Next("dead", now, done=True)  # or the target wants to be left alone until it is too late
    wait = max(backoff(attempts, retry.first, retry.longest), timedelta(seconds=asked))
    return Next("ready", now + min(wait, left), done=False)


def after_acceptance(accepted: Accepted, flow: Flow, now: datetime) -> Next:
    """A staged write goes on at its stage after the time the target asks for."""
    wait = timedelta(seconds=accepted.wait) if accepted.wait is not None else timedelta(0)
    return Next("ready", now + wait, done=False, counted=False)


def backoff(attempts: int, first: timedelta, longest: timedelta) -> timedelta:
    """Exponential, capped, with half of it jitter: workers that failed together do not come back together."""
    whole = min(longest, first * 2 ** min(attempts - 1, 30)) if attempts else first
    return whole / 2 + whole / 2 * random.random()
