"""A proposed declaration as the YAML that an engineer reads, changes and keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from mdm.declaration import Block, Column, Comparison, Declaration, Level
from mdm.profile._kinds import Seen

_PLAIN = re.compile(r"[A-Za-z_\u3400-\u9fff][\w\u3400-\u9fff ]*[\w\u3400-\u9fff]|[A-Za-z_]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def written(declaration: Declaration, why: Mapping[str, str], left: tuple[Seen, ...], told: str) -> str:
    """The file's text; `mdm.declare.read` reads it back as the same declaration."""
    return "\n".join([*_lines(declaration, why, left, told), ""])


def _lines(declaration: Declaration, why: Mapping[str, str], left: tuple[Seen, ...], told: str) -> Iterator[str]:
    yield f"# Proposed by `landbridge mdm profile` from {told}: look at every line before you rely on it."
    yield f"entity: {declaration.entity}"
    if declaration.scoring != "fellegi_sunter":
        yield f"scoring: {declaration.scoring}"
    yield "columns:"
    for column in declaration.columns:
        yield f"  {column.name}: {_column(column)} # {why.get(column.name, '')}".rstrip(" #")
    for one in left:
        yield f"  # not compared: {_comment(one.name)} ({one.kind}: {one.why})"
    if declaration.identifiers:
        yield "identifiers:"
        for identifier in declaration.identifiers:
            same = f"same: {_number(identifier.same)}" if identifier.same is not None else ""
            parts = ", ".join(filter(None, (same, "apart: true" if identifier.apart else "")))
            yield f"  {identifier.column}: {{{parts}}}"
    yield "blocks:" if declaration.blocks else "blocks: [] # nothing brings records together: name a column here"
    for block in declaration.blocks:
        yield f"  - {_block(block)}"
    yield "comparisons:"
    for comparison in declaration.comparisons:
        yield f"  {comparison.column}: {_comparison(comparison)}"
    lines = declaration.thresholds
    yield f"thresholds: {{auto: {_number(lines.auto)}, review: {_number(lines.review)}}}"
    if declaration.one_to_one:
        yield "one_to_one: true # no file seems to hold a record twice"


def _column(column: Column) -> str:
    calls = " | ".join(call.name for call in column.normalise)
    path = column.paths[0]
    if len(column.paths) == 1 and not column.many and _is_plain(path):
        return f"{path} | {calls}" if calls else path
    paths = _text(path) if len(column.paths) == 1 else f"[{', '.join(map(_text, column.paths))}]"
    parts = [f"from: {paths}", f"normalise: {calls}" if calls else "", "many: true" if column.many else ""]
    return f"{{{', '.join(filter(None, parts))}}}"


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.casefold() not in _WORDS


def _text(text: str) -> str:
    return text if _is_plain(text) else json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)


def _block(block: Block) -> str:
    parts = [name if length is None else f"{{{name}: {length}}}" for name, length in block.parts]
    return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"


def _comparison(comparison: Comparison) -> str:
    levels = f"[{', '.join(map(_level, comparison.levels))}]"
    more = ", frequency: true" if comparison.frequency else ""
    more += f", unique: {_number(comparison.unique)}" if comparison.unique is not None else ""
    return f"{{levels: {levels}{more}}}" if more else levels


def _level(level: Level) -> str:
    return "exact" if level.test == "exact" else f"{{{level.test}: {_number(level.at)}}}"


def _number(value: float | None) -> str:
    """A number in plain digits, as strict YAML reads it."""
    return f"{Decimal(f'{value:.12g}'):f}"
