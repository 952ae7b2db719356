"""Pairs, golden records and previews as a steward reads them on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from landbridge.cli import age, counted, say, show_table

if TYPE_CHECKING:
    from mdm.steward import Compared, Decided, ShownGolden, ShownPair, ShownPreview, ShownRecord, Status

_VERDICTS = {"parent_of": "parent of"}


def pair(found: ShownPair) -> None:
    """Two records side by side, the waterfall, and what was decided."""
    for letter, side in (("a", found.a), ("b", found.b)):
        say(f"{letter}: {_side(side)}")
    say()
    show_table(
        ["", "field", "a", "b"], [[_MARKS[one.differs], one.path, _text(one.a), _text(one.b)] for one in found.fields]
    )
    say()
    say(f"{found.words}: {found.weight:.2f} bits, probability {found.probability:.4f}")
    lines = [
        [f"{one.bits + one.rarity_bits:+.2f}", one.column, one.agreement, _rarity(one.rarity_bits), _text(one.a),
         _text(one.b)]
        for one in found.steps
    ]  # fmt: skip
    show_table(
        ["bits", "column", "they", "rarity", "a", "b"],
        [*lines, [f"{found.weight:+.2f}", "sum", "", "", "", ""]],
        right=[0],
    )
    if found.apart:
        say("Valid identifiers of one kind differ: they stay apart unless a person says that they are one.")
    say(f"pattern: {found.pattern}")
    decisions(found.decisions)


def _side(side: ShownRecord) -> str:
    told = [f"golden {side.golden} of {counted(len(side.members), 'record')}"]
    if side.uses:
        told.append(f"{counted(side.uses, 'message')} refer to it")
    told.append(f"changed {_time(side.changed_at)}, first seen {_time(side.first_seen)}")
    if side.deleted:
        told.append("deleted at its source")
    return f"{side.named} ({side.id}), {', '.join(told)}"


_MARKS = {"": " ", "differs": "≠", "only a": "a", "only b": "b"}


def _rarity(bits: float) -> str:
    if abs(bits) < 0.005:
        return ""
    return f"{bits:+.2f} {'rare' if bits > 0 else 'common'}"


def decisions(found: Iterable[Decided]) -> None:
    """Decisions, one per line."""
    for one in found:
        what = _VERDICTS.get(one.verdict, one.verdict)
        about = f"{one.attribute} = {_text(one.value)}" if one.attribute else ""
        named = " ".join(map(str, [*one.these, *one.those]))
        line = f"{one.id} {_time(one.at)} {one.actor}: {what} {about or named}"
        line += f" ({one.reason})" if one.reason else ""
        if one.revoked_at is not None:
            line += f"; taken back {_time(one.revoked_at)} by {one.revoked_by}"
        say(line)


def golden(found: ShownGolden) -> None:
    """A golden record with its lineage and versions."""
    say(f"golden {found.id}: {found.state}, version {found.version} of {_time(found.recorded_at)}")
    say(f"records: {', '.join(f'{one.named} ({one.id})' for one in found.members)}")
    say()
    for one in found.attributes:
        by = f"pinned by decision {one.pin}" if one.pin else f"by {one.rule} from {', '.join(one.winners)}"
        say(f"{one.attribute}: {_text(one.value)}")
        lost = f"; lost: {', '.join(one.losers)}" if one.losers else ""
        say(f"    {by}{lost}")
    say()
    for version in found.versions:
        mark = f"erased {_time(version.erased_at)}" if version.erased_at else version.hash[:12]
        say(f"version {version.version} {_time(version.at)} {version.state} {mark}")
    if found.erased_at is not None:
        say("A record of this was erased since: what it gave is gone, and this cannot be held against what was stored.")
    if found.reproduced is not None:
        same = "is what was stored then" if found.reproduced else "IS NOT what was stored then"
        say(f"Made anew from what its sources had said, this {same}.")


def preview(found: ShownPreview) -> None:
    """What a decision would do."""
    for record, golden_ in found.moved:
        say(f"{record.named} would belong to golden {golden_}.")
    for one in found.golden:
        if one.state != "unchanged":
            say(f"golden {one.id} would be {one.state}.")
        fields(one.fields)
    if not found.moved and all(one.state == "unchanged" for one in found.golden):
        say("No golden record would change.")


def status(found: Iterable[Status], now: datetime) -> None:
    """Every entity at a glance."""
    lines, said = [], []
    for one in found:
        doubts = one.doubts
        asked = age(one.oldest, now) if one.oldest else ""
        lines.append([one.entity, one.records, one.golden, *(doubts.get(kind, 0) for kind in _DOUBTS), asked])
        if one.answered is not None:
            half, most = (age(now - timedelta(seconds=s), now) for s in (one.answered.half, one.answered.most))
            decided = counted(one.answered.decisions, "doubt")
            said.append(f"{one.entity}: {decided} decided in 30 days, half of them within {half}, 95 of 100 in {most}")
        if one.decided:
            words = (f"{number} {_VERDICTS.get(verdict, verdict)}" for verdict, number in one.decided.items())
            said.append(f"{one.entity}: decided in the last day: {', '.join(words)}")
        known = [f"{number} {kind}" for kind, number in sorted(one.notices.items()) if number]
        known += [f"{one.crowded} in crowds"] if one.crowded else []
        if known:
            said.append(f"{one.entity}: to know: {', '.join(known)}; landbridge steward notices {one.entity}")
    names = ["entity", "records", "golden", "to review", "kept apart", "asked again", "oldest"]
    show_table(names, lines, right=[1, 2, 3, 4, 5])
    for line in said:
        say(line)


_DOUBTS = ("review", "kept_apart", "again")


def fields(found: Iterable[Compared]) -> None:
    """Fields before and after."""
    for one in found:
        say(f"    {one.path}: {_text(one.a)} → {_text(one.b)}")


def _time(moment: datetime | None) -> str:
    return "at an unknown time" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _text(value: Any) -> str:
    from landbridge.strict import json

    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value).decode()
