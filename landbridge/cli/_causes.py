"""What needs a person, grouped by cause; and what a mended mapping would write beside what was tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landbridge.cli._open import age, show_table
from landbridge.cli._personal import MASK, personal_fields, plain
from landbridge.cli._print import complain, say, show_json
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from datetime import datetime

    from landbridge.engine import Example
    from landbridge.installation import Installation

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|„[^“]*“|“[^”]*”")
_NAMED = re.compile(r"\b(?=\w*\d)[\w-]{2,}\b|\d+(?:[.,]\d+)*")
_SHOWN = 120


def cause(code: str | None, reason: str | None) -> tuple[str, str]:
    """The code, and the reason with its quoted words, ids and numbers taken out: the same for the same mistake."""
    text = _NAMED.sub("…", _QUOTED.sub("…", " ".join((reason or "").split())))
    return code or "", re.sub(r"…(?:[ ,.:/-]*…)+", "…", text)


def grouped(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows by route and cause, most first, each with its newest row as an example."""
    groups: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for row in rows:  # newest first
        code, text = cause(row.code, row.reason)
        group = groups.setdefault(
            (row.route, row.state, code, text),
            {"route": row.route, "state": row.state, "code": code, "cause": text, "rows": 0, "example": row.id,
             "record": row.source_key, "newest": row.done_at, "oldest": row.done_at},
        )  # fmt: skip
        group["rows"] += 1
        group["oldest"] = row.done_at
    return sorted(groups.values(), key=lambda one: (-one["rows"], one["example"]))


def show_causes(rows: Sequence[Any], now: datetime, *, as_json: bool) -> None:
    """Print how often each cause stands, with one row to look at."""
    found = grouped(rows)
    if as_json:
        show_json(found)
        return
    lines = [
        [one["rows"], one["state"], one["code"], one["route"], age(one["oldest"], now), one["example"],
         one["cause"][:_SHOWN]]
        for one in found
    ]  # fmt: skip
    if lines:
        show_table(["rows", "state", "code", "route", "oldest", "such as row", "cause"], lines, right=[0, 5])
    else:
        say("Nothing needs a person.")


def show_diff(installation: Installation, row: int, *, show_personal: bool, as_json: bool) -> bool:
    """Print what would be written now beside what was tried; True if that differs."""
    from landbridge.engine import preview_rows
    from landbridge.store import operate

    with installation.store.reading() as connection:
        one = operate.row(connection, row)
        attempts = operate.attempts(connection, row)
    if one is None:
        raise LandbridgeError(f"there is no row {row}.", hint="landbridge dead list")
    found = [example for example in preview_rows(installation.engine, [row]).examples if example.route == one.route]
    example = found[0] if found else None
    tried = next((attempt.sent for attempt in reversed(attempts) if attempt.sent is not None), None)
    changes = _changes(tried or {}, example.content if example is not None else {})
    if not show_personal and example is not None:
        changes = _masked(installation, example, changes)
    what = example.what if example is not None else "suppressed"
    if as_json:
        show_json({"row": row, "state": one.state, "would_be": what, "reason": example.reason if example else "",
                   "tried": tried is not None, "changes": changes})  # fmt: skip
    else:
        _show(one, what, example, tried, changes)
    return bool(changes) or (tried is None and what not in ("quarantined", "conflict", "dead"))


def _changes(tried: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Field by field: before is what was tried, after what would be written now."""
    sides = [_flat(body) for body in (tried, now)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    return [
        {"field": name, "before": sides[0].get(name), "after": sides[1].get(name)}
        for name in names
        if sides[0].get(name) != sides[1].get(name)
    ]


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(content.get("header") or {})
    for key, line in (content.get("lines") or {}).items():
        found |= {f"line {key}: {name}": value for name, value in line.items()}
    return found


def _masked(installation: Installation, example: Example, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    hidden = personal_fields(
        installation, example.system, example.entity, example.canonical, creating=example.what == "created"
    )

    def is_hidden(name: str) -> bool:
        inner = plain(name.partition(": ")[2] or name)
        return hidden is None or any(
            one == inner or one.startswith(f"{inner}.") or one.endswith(f".{inner}") for one in hidden
        )

    return [
        one | {side: MASK for side in ("before", "after") if one[side] is not None} if is_hidden(one["field"]) else one
        for one in changes
    ]


def _show(one: Any, what: str, example: Example | None, tried: Any, changes: list[dict[str, Any]]) -> None:
    say(f"row {one.id} of {one.route}: it stands as {one.state}; a replay now: {what}")
    if example is not None and example.reason:
        say(f"  {example.reason}")
    if tried is None:
        say("  nothing was sent before: all of it is new")
    for change in changes:
        say(f"  {change['field']}: {_text(change['before'])} → {_text(change['after'])}")
    if not changes:
        complain("It would be the same again. hint: mend the mapping, the record or the target first.")


def _text(value: Any) -> str:
    from landbridge.strict import json

    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value).decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
