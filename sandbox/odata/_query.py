"""System query options: a filter of comparisons joined by `and` and `or`, order, top and skip."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.rest import RefusedError

Test = Callable[[dict[str, Any]], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>(?:datetimeoffset|datetime|guid)?'(?:[^']|'')*')|(?P<sign>[()])"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<value>[-+\d][\w.:+-]*))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a is not None and a > b,
    "ge": lambda a, b: a is not None and a >= b,
    "lt": lambda a, b: a is not None and a < b,
    "le": lambda a, b: a is not None and a <= b,
}


def wrong(text: str) -> RefusedError:
    """A query that cannot be read."""
    return RefusedError(400, "bad_query", text)


class Filter:
    """One `$filter`, read by recursive descent."""

    def __init__(self, text: str, known: dict[str, str]) -> None:
        self._known = known
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise wrong(f"The filter cannot be read at {at}.")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        self.holds = self._either()
        if self._tokens:
            raise wrong("The filter goes on where it should end.")

    def _take(self, *words: str) -> str | None:
        if self._tokens and self._tokens[0][1] in words:
            return self._tokens.pop(0)[1]
        return None

    def _either(self) -> Test:
        found = self._both()
        while self._take("or"):
            found = _or(found, self._both())
        return found

    def _both(self) -> Test:
        found = self._one()
        while self._take("and"):
            found = _and(found, self._one())
        return found

    def _one(self) -> Test:
        if self._take("("):
            found = self._either()
            if not self._take(")"):
                raise wrong("A bracket is not closed.")
            return found
        if len(self._tokens) < 3:
            raise wrong("A comparison is not whole.")
        (_, name), (_, sign), (kind, told) = self._tokens[:3]
        del self._tokens[:3]
        if name not in self._known or sign not in _COMPARE:
            raise wrong(f"{name} {sign} is not known.")
        value, compare = literal(kind, told), _COMPARE[sign]
        if self._known[name] == "Edm.DateTimeOffset":
            value = written(value)
        return lambda record: compare(record.get(name), value)


def literal(kind: str, told: str) -> Any:
    """The value of a literal."""
    if kind == "text":
        return told.partition("'")[2][:-1].replace("''", "'")
    if kind == "word":
        return {"null": None, "true": True, "false": False}.get(told, told)
    bare = told.rstrip("LlMmDd")
    return int(bare) if bare.lstrip("-").isdigit() else told


def written(value: Any) -> str:
    """An instant as the store holds it, rounded up to the second so that `ge` keeps its meaning."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise wrong(f"{value} is no instant.") from None
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{at.microsecond:06d}Z" if at.microsecond else "Z")


def ordered(records: list[dict[str, Any]], text: str, known: dict[str, str]) -> list[dict[str, Any]]:
    """The records in the order that `$orderby` says."""
    for part in reversed(text.split(",")):
        name, _, direction = part.strip().partition(" ")
        if name not in known:
            raise wrong(f"{name} is not known.")
        records = sorted(
            records, key=lambda each: (each.get(name) is not None, each.get(name)), reverse=direction == "desc"
        )
    return records


def _or(one: Test, other: Test) -> Test:
    return lambda record: one(record) or other(record)


def _and(one: Test, other: Test) -> Test:
    return lambda record: one(record) and other(record)
