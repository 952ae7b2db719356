"""Ownership and change rules: whose value stands, and what a change after release may still do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from landbridge.engine._conditions import values_at, without
from landbridge.settings import Change, EntityOwnership


def owned(canonical: dict[str, Any], rules: EntityOwnership, source: str, *, target_has_it: bool) -> dict[str, Any]:
    """The canonical body as the target is told it: what others own is left out, nulls are as the owner wants them."""
    foreign = [
        path for path, rule in rules.fields.items() if rule.owner != source and (rule.when == "always" or target_has_it)
    ]
    body = without(canonical, foreign) if foreign else canonical
    if rules.told is not None:
        body = {name: value for name, value in body.items() if name in rules.told}
    kept = [
        path
        for path, rule in rules.fields.items()
        if rule.owner == source and rule.null == "keep" and values_at(body, path) == [None]
    ]
    return without(body, kept) if kept and target_has_it else body


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that a change would break; `line_key` empty for the header."""

    line_key: str
    path: str
    asked: Any
    limit: Any
    message: str
    hint: str
    conflict: bool

    def as_dict(self) -> dict[str, Any]:
        """As it is stored beside the outbox row."""
        return {
            "path": self.path,
            "line_key": self.line_key,
            "ours": self.asked,
            "theirs": self.limit,
            "message": self.message,
            "hint": self.hint,
        }


def breaches(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], limits: Sequence[Change], *, source: str, target: str
) -> list[Breach]:
    """Every limit that our document breaks against the target's, line by line by our line keys."""
    found: list[Breach] = []
    document = str(ours.get("number") or theirs.get("number") or "")
    their_lines = {str(line.get("line_key")): line for line in theirs.get("lines") or ()}
    for change in limits:
        path, bound = change.field or "", change.at_least or change.at_most or ""
        if path.startswith("lines"):
            inner, inner_bound = _inside(path), _inside(bound)
            for line in ours.get("lines") or ():
                other = their_lines.get(str(line.get("line_key")))
                if other is not None:
                    found.extend(_compare(change, line, other, inner, inner_bound, document, source, target))
        else:
            found.extend(_compare(change, ours, theirs, path, bound, document, source, target))
    return found


def cancellations(
    theirs: Mapping[str, Any], line_keys: Sequence[str], limits: Sequence[Change], *, source: str, target: str
) -> list[Breach]:
    """The same for lines that were deleted at the source: a deletion asks for nothing at all."""
    zero = [
        {"line_key": key, "quantities": {name: {"value": "0"} for name in ("ordered", "cancelled")}}
        for key in line_keys
    ]
    return breaches({"number": theirs.get("number"), "lines": zero}, theirs, limits, source=source, target=target)


def _inside(path: str) -> str:
    return path.replace("[]", "").partition(".")[2]


def _compare(
    change: Change,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    path: str,
    bound: str,
    document: str,
    source: str,
    target: str,
) -> list[Breach]:
    asked, limit = _number(values_at(ours, path)[0]), _number(values_at(theirs, bound)[0])
    if asked is None or limit is None:
        return []
    broken = asked < limit if change.at_least else asked > limit
    if not broken:
        return []
    line = str(ours.get("line_key") or "")
    number = str(ours.get("number") or line) if line else ""
    name = bound.rpartition(".")[2]
    ordered = _number(values_at(theirs, path)[0])
    of = f" of {_plain(ordered)}" if ordered is not None else ""
    where = f"order {document} line {number}" if line else f"document {document}"
    comparison = "or more" if change.at_least else "or less"
    return [
        Breach(
            line,
            path,
            _plain(asked),
            _plain(limit),
            f"{where}: {_plain(limit)}{of} are {name} in {target}, {source} asks {_plain(asked)}.",
            f"use {_plain(limit)} {comparison}, or create a return.",
            change.otherwise == "conflict",
        )
    ]


def _number(value: Any) -> Decimal | None:
    if isinstance(value, Mapping):
        value = value.get("value", value.get("amount"))
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _plain(value: Decimal | None) -> str:
    if value is None:
        return "?"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
