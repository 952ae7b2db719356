"""A preview for the terminal: counts, and the first examples with the fields that would change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from landbridge.cli._bar import bar
from landbridge.cli._open import show_table
from landbridge.cli._personal import MASK, personal_fields, plain
from landbridge.cli._print import complain, say, show_json

if TYPE_CHECKING:
    from landbridge.engine import Example, Preview
    from landbridge.installation import Installation

WORDS = ("read", "new", "created", "updated", "deleted", "unchanged", "suppressed", "superseded")
TROUBLES = ("waiting", "quarantined", "conflict", "dead", "unavailable", "denied")
_MOST = 12


def show_preview(
    installation: Installation, flow: str, since: str | None, limit: int | None, *, as_json: bool, personal: bool
) -> int:
    """Preview a run; returns the exit code: 1 if something of it would need a person."""
    from landbridge.engine import preview

    with bar(flow) as progress:
        found = preview(installation.engine, flow, since=since, limit=limit, progress=progress)
    return _shown(installation, found, f"{flow}, dry run: nothing was kept or written", as_json, personal)


def show_replay(installation: Installation, ids: Sequence[int]) -> int:
    """Preview a replay of rows."""
    from landbridge.engine import preview_rows

    found = preview_rows(installation.engine, ids)
    return _shown(installation, found, "dry run of the replay: nothing was kept or written", False, False)


def _shown(installation: Installation, found: Preview, title: str, as_json: bool, personal: bool) -> int:
    examples = [_visible(installation, one, personal) for one in found.examples]
    if as_json:
        show_json({"counts": dict(found.counts), "refused": found.refused, "examples": examples})
    else:
        words = [word for word in (*WORDS, *TROUBLES) if found.counts[word] or word == "read"]
        say(title)
        show_table(words, [[found.counts[word] for word in words]], right=range(len(words)))
        for one in examples:
            _show(one)
    if found.refused:
        complain(found.refused)
    return 1 if found.refused or any(found.counts[word] for word in TROUBLES if word != "waiting") else 0


def _visible(installation: Installation, one: Example, personal: bool) -> dict[str, Any]:
    hidden: frozenset[str] | None = frozenset()
    if not personal and one.differences:
        hidden = personal_fields(installation, one.system, one.entity, one.canonical, creating=one.what == "created")
    shown = []
    for difference in one.differences:
        inner = plain(difference.field.partition(": ")[2] or difference.field)
        mask = hidden is None or any(
            name == inner or name.startswith(f"{inner}.") or name.endswith(f".{inner}") for name in hidden
        )
        before, after = (_masked(value) if mask else value for value in (difference.before, difference.after))
        shown.append({"field": difference.field, "before": before, "after": after})
    return {
        "what": one.what,
        "route": one.route,
        "record": one.key,
        "target_id": one.target_id,
        "reason": one.reason,
        "differences": shown,
    }


def _masked(value: Any) -> Any:
    return value if value is None else MASK


def _show(one: dict[str, Any]) -> None:
    target = f" → {one['target_id']}" if one["target_id"] else ""
    say(f"{one['what']:<12} {one['route']}: {one['record']}{target}" + (f"  {one['reason']}" if one["reason"] else ""))
    for difference in one["differences"][:_MOST]:
        before, after = (_text(difference[side]) for side in ("before", "after"))
        say(
            f"    {difference['field']}: {before} → {after}"
            if one["what"] != "created"
            else f"    {difference['field']}: {after}"
        )
    if len(one["differences"]) > _MOST:
        say(f"    and {len(one['differences']) - _MOST} fields more")


def _text(value: Any) -> str:
    from landbridge.strict import json

    text = value if isinstance(value, str) else json.dumps(value).decode()
    return text if len(text) <= 80 else text[:79] + "…"
