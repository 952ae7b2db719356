"""Code lists and decision tables as an operator edited them: rows over those of the file, and the file they make.

What is edited is judged as a file is: the rows are written as the YAML that `export` gives, and that is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from landbridge.strict import Node

Row = dict[str, Any]
"""A row of a code list {native, canonical, preferred, from, until} or of a decision table {when, then, last}."""

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Edit:
    """What an operator says of one row: how it is, or (None) that it does not hold."""

    key: str
    row: Row | None


Edits = Mapping[tuple[str, str], Sequence[Edit]]
"""By (folder, name), oldest first."""


def key_of(folder: str, row: Row) -> str:
    """What makes it the same row: the native word and its first day, or what the inputs must be."""
    if folder == "codes":
        said: Any = [row["native"], row.get("from", "")]
    else:
        said = {name: list(words) if isinstance(words, list) else [words] for name, words in row["when"].items()}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS, default=str).decode()


def rows_of(folder: str, node: Node) -> list[Row]:
    """The rows of a file, in its order, in the long form."""
    from landbridge.translator._shorts import json_value

    listed = [json_value(one.value) for one in node["rows"].elements()] if "rows" in node else []
    if folder != "codes":
        return [dict(one) for one in listed]
    preferred = {} if "preferred" not in node else {k: v.value for k, _, v in node["preferred"].items()}
    found: list[Row] = [{key: _day(value) for key, value in one.items()} for one in listed]
    for native, _, target in node["map"].items() if "map" in node else ():
        row: Row = {"native": native, "canonical": json_value(target.value)}
        if preferred.get(str(target.value)) == native:
            row["preferred"] = True
        found.append(row)
    return found


def edited(folder: str, node: Node, edits: Sequence[Edit]) -> list[Row]:
    """The rows that hold: those of the file where no edit says otherwise; new ones in front of a decision table."""
    rows = {key_of(folder, row): row for row in rows_of(folder, node)}
    front: dict[str, Row] = {}
    for edit in edits:
        if edit.row is None:
            rows.pop(edit.key, None)
            front.pop(edit.key, None)
        elif folder == "codes" or edit.key in rows or edit.row.get("last"):
            rows[edit.key] = edit.row
        else:
            front = {edit.key: edit.row, **front}  # the newest first: a row that holds for everything stands last
    return [*front.values(), *rows.values()]


def text_of(folder: str, node: Node, rows: Sequence[Row], comment: str = "") -> str:
    """A file with these rows; what else the file says stays as it is."""
    head = {key: value.value for key, _, value in node.items() if key not in ("map", "rows", "preferred")}
    lines = [*(line for line in comment.splitlines() if line.startswith("#"))]
    lines += [f"{key}: {_flow(value)}" for key, value in head.items()]
    lines += _codes(rows) if folder == "codes" else _rows({k: v for k, v in row.items() if k != "last"} for row in rows)
    return "\n".join(lines) + "\n"


def _codes(rows: Sequence[Row]) -> Iterator[str]:
    natives = [row["native"] for row in rows]
    short = [row for row in rows if _short(row) and natives.count(row["native"]) == 1]
    chosen = {str(row["canonical"]): row["native"] for row in short if row.get("preferred")}
    clear = len(chosen) == sum(bool(row.get("preferred")) for row in short)  # `preferred:` names each word once
    long = [row for row in rows if row not in short or (row.get("preferred") and not clear)]
    short = [row for row in short if row not in long]
    if short:
        yield "map:"
        yield from (f"  {_scalar(row['native'])}: {_flow(row['canonical'])}" for row in short)
    if clear and chosen:
        yield "preferred:"
        yield from (f"  {_scalar(word)}: {_flow(native)}" for word, native in chosen.items())
    if long:
        yield from _rows(long)


def _rows(rows: Any) -> Iterator[str]:
    yield "rows:"
    for row in rows:
        pairs = [f"{_scalar(key)}: {_flow(value)}" for key, value in row.items()]
        if "when" in row:
            yield f"  - {pairs[0]}"
            yield from (f"    {pair}" for pair in pairs[1:])
        else:
            yield f"  - {{{', '.join(pairs)}}}"


def _short(row: Row) -> bool:
    return isinstance(row["native"], str) and not {"from", "until"} & row.keys()


def _day(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return orjson.dumps(value, default=str).decode()
