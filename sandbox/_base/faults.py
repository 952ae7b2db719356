"""Faults on request: which request meets which mishap, told beforehand by a test or over the control API."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.types import Scope

KINDS: Mapping[str, str] = {
    "429": "no effect; 429 with Retry-After (retry_after=1)",
    "503": "no effect; 503 with Retry-After when given (retry_after=None)",
    "500_before": "no effect; 500",
    "500_after": "full effect; 500",
    "drop_before": "no effect; the line is cut without a reply",
    "drop_after": "full effect; the line is cut without a reply",
    "commit_later": "cut after `hang` real seconds (0); the effect comes `after` sandbox seconds (240) later",
    "hang": "waits `seconds` (30) of real time, then goes on; effect='before' makes the effect first, reply=False cuts",
    "stale_token": "the token of the request is revoked, then the request goes on",
    "html": "no effect; an HTML page with `status` (200)",
    "cut_body": "full effect; the headers and half the body, then the line is cut",
    "reply": "no effect; the given `status`, `body` and `headers`",
}


@dataclass(frozen=True)
class Match:
    """Which requests a fault is for; from the nth match (from 1) on, `times` of them (None: all)."""

    method: str | None = None
    path_regex: str | None = None
    body_regex: str | None = None
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0


@dataclass
class Fault:
    """One rule of the ledger with what it has done so far; unknown kinds are passed to the vendor's own code."""

    id: int
    match: Match
    kind: str
    args: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    hits: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    def view(self) -> dict[str, Any]:
        """The rule as JSON for the control API."""
        match = {name: value for name, value in vars(self.match).items() if value is not None}
        return {
            "id": self.id,
            "match": match,
            "kind": self.kind,
            "args": self.args,
            "seen": self.seen,
            "hits": self.hits,
        }


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


def _plain(status: int, kind: str) -> Reply:
    return Reply(status, b'{"error":"' + kind.encode() + b'"}')


@dataclass(frozen=True)
class Hooks:
    """What a vendor puts in: its error bodies, how a token goes stale, how a path is named in the request log."""

    error: Callable[[int, str], Reply] = _plain
    stale_token: Callable[[Mapping[str, str]], None] = lambda headers: None
    label: Callable[[str], str] = lambda path: path


class Faults:
    """The ledger of faults of one sandbox; safe from any thread."""

    def __init__(self, *, kinds: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []
        self._next = 1
        self.kinds = {**KINDS, **(kinds or {})}

    def add(self, match: Match | Mapping[str, Any] | None, kind: str, /, **args: Any) -> Fault:
        """Plan a fault, as in `add({"method": "POST", "path_regex": "/orders$"}, "drop_after")`; the first hit wins."""
        if kind not in self.kinds:
            raise ValueError(f"faults: no kind {kind!r}; known are {', '.join(sorted(self.kinds))}")
        rule = match if isinstance(match, Match) else Match(**(match or {}))
        re.compile(rule.path_regex or "")
        with self._lock:
            fault = Fault(self._next, rule, kind, dict(args), dice=random.Random(rule.seed))
            self._next += 1
            self._rules.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Forget one rule, or all."""
        with self._lock:
            self._rules = [rule for rule in self._rules if fault_id is not None and rule.id != fault_id]

    def list(self) -> list[Fault]:
        """All rules with their hits."""
        with self._lock:
            return list(self._rules)

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        """The fault this request meets; every rule that matches counts it, the oldest that strikes wins."""
        with self._lock:
            struck: Fault | None = None
            for rule in self._rules:
                if _matches(rule.match, method, path, body) and _strikes(rule) and struck is None:
                    struck = rule
            if struck is not None:
                struck.hits += 1
            return struck


def _matches(match: Match, method: str, path: str, body: bytes) -> bool:
    if match.method is not None and match.method.upper() != method:
        return False
    if match.path_regex is not None and not re.search(match.path_regex, path):
        return False
    return match.body_regex is None or bool(re.search(match.body_regex, body.decode("utf-8", "replace")))


def _strikes(rule: Fault) -> bool:
    rule.seen += 1
    if rule.seen < rule.match.nth or (rule.match.times is not None and rule.hits >= rule.match.times):
        return False
    return rule.match.probability >= 1 or rule.dice.random() < rule.match.probability


def arrived(scope: Scope) -> datetime | None:
    """When the request came in, by the sandbox clock; for a deferred effect that is long before it is committed."""
    found: datetime | None = scope.get("sandbox.arrived")
    return found


def deferred(scope: Scope) -> bool:
    """Whether this is the late commit of a request that was authenticated when it came in."""
    return bool(scope.get("sandbox.deferred"))


def passed_fault(scope: Scope) -> Fault | None:
    """A fault of the vendor's own kind that this request met."""
    found: Fault | None = scope.get("sandbox.fault")
    return found
