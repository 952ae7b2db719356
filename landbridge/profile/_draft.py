"""A first draft of a mapping from a profile: fields whose names say what they are, and the rest as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from landbridge.canonical import FieldInfo
from landbridge.profile._columns import Column, Profile

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_PLAIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
LONGEST_SHOWN = 8
"""Digits up to which the least and the most of whole numbers are told."""
_NOISE = frozenset({"c", "the", "of"})

ALSO: Mapping[str, tuple[str, ...]] = {
    "number": ("code", "no", "nr", "sku", "account number", "product code", "order number", "default code"),
    "name": ("title", "company", "company name", "display name", "product name"),
    "changed_at": (
        "changed", "modified", "updated", "last modified", "last modified date", "updated at", "modified at",
        "write date", "changed on", "last changed", "date modified", "date updated",
    ),
    "currency": ("currency code", "currency iso code", "curr"),
    "base_unit": ("unit", "uom", "unit of measure"),
    "ordered_on": ("order date", "date", "ordered at", "effective date", "date order"),
    "group": ("category", "customer group", "product group"),
    "website": ("url", "web", "homepage", "web site"),
    "language": ("lang", "locale"),
}  # fmt: skip
"""Other names under which products keep a canonical field."""

ADDRESS: Mapping[str, tuple[str, ...]] = {
    "street": ("address", "street address", "address line 1", "billing street", "address 1"),
    "city": ("town", "billing city"),
    "region": ("state", "province", "billing state"),
    "postal_code": ("zip", "postcode", "zip code", "postal code", "billing postal code"),
    "country": ("country code", "billing country", "billing country code"),
}
_CONVERT = {"date": "date", "instant": "instant", "decimal": "decimal", "integer": "integer", "boolean": "boolean"}


def draft(profile: Profile, fields: Mapping[str, FieldInfo]) -> str:
    """The text of a mapping file; it says of every field that it does not map what was seen there."""
    columns = {_spelled(column.path): column for column in reversed(profile.columns.values()) if _usable(column)}
    found = dict(_found(columns, fields))
    address = {name: columns[word] for name in ADDRESS if (word := _known(name, ADDRESS[name], columns))}
    lines = [
        f"# A draft from {profile.records} records: look at every line before you use it.",
        f"entity: {profile.entity}",
        f"native: {profile.native}",
        "in:",
        *(f"  {name}: {_value(column, fields[name])}" for name, column in found.items()),
    ]
    if len(address) > 1 and "addresses" in fields:
        lines += ["  addresses:", "    - role: main"]
        lines += [f"      {name}: {_short(column)}" for name, column in address.items()]
    used = {column.path for column in (*found.values(), *address.values())}
    missing = [name for name, info in fields.items() if info.required and "." not in name and name not in found]
    lines += [f"  # {name}: required, and no field looks like it. {fields[name].description}" for name in missing]
    writable = [(name, column) for name, column in found.items() if _writable(column)]
    if writable:
        lines += ["out:", *(f"  {_key(column)}: {name}" for name, column in writable)]
    rest = [column for column in profile.columns.values() if column.path not in used]
    if rest:
        lines += ["# Seen, and not mapped:", *(f"#   {_printed(column.path)}: {told(column)}" for column in rest)]
    return "\n".join(lines) + "\n"


def told(column: Column) -> str:
    """What was seen of a column in a few words."""
    parts = [column.kind, f"{column.rate:.0%} filled"]
    if column.longest is not None and column.kind in ("text", "mixed"):
        parts.append(f"{column.shortest} to {column.longest} characters")
    if column.least is not None and column.kind != "text" and not _account(column):
        parts.append(f"{column.least} to {column.most}")
    return ", ".join(parts)


def _account(column: Column) -> bool:
    """Whether its values may name an account or a card: a draft is committed, and shows none of them."""
    return column.kind == "integer" and column.longest is not None and column.longest > LONGEST_SHOWN


def _printed(path: str) -> str:
    """A path on one line, whatever the product's names hold."""
    return path if path.isprintable() else json.dumps(path)


def _found(columns: Mapping[str, Column], fields: Mapping[str, FieldInfo]) -> Iterator[tuple[str, Column]]:
    for name, info in fields.items():
        if "." in name or "[]" in name or info.type in ("record", "list"):
            continue
        word = _known(name, ALSO.get(name, ()), columns)
        if word is not None and _fits(columns[word], info):
            yield name, columns[word]


def _known(name: str, also: tuple[str, ...], columns: Mapping[str, Column]) -> str | None:
    return next((word for word in (name.replace("_", " "), *also) if word in columns), None)


def _usable(column: Column) -> bool:
    plain = column.path.isprintable() and not {'"', "'"} & set(column.path)
    return (
        plain
        and column.filled > 0
        and "[]" not in column.path
        and column.kind not in ("record", "list", "mixed", "empty")
    )


def _fits(column: Column, info: FieldInfo) -> bool:
    """Whether the values can be of the canonical type at all; words of a fixed list need a code list, not a guess."""
    if info.words:
        return set(column.values) <= set(info.words) and not column.many
    if info.type in ("date", "instant"):
        return column.kind in ("date", "instant")
    if info.type in ("decimal", "integer", "number"):
        return column.kind in ("decimal", "integer")
    return info.type != "boolean" or column.kind == "boolean"


def _value(column: Column, info: FieldInfo) -> str:
    convert = _CONVERT.get(info.type)
    if info.type == "text" and not column.texts:
        convert = "text"
    return _short(column, f" | {convert}" if convert else "")


def _short(column: Column, calls: str = "") -> str:
    """The short form of a path, with quotes where its names need them."""
    if _PLAIN.fullmatch(column.path):
        return column.path + calls
    quoted = ".".join(f'"{part}"' for part in column.path.split("."))
    return f"'{quoted}{calls}'"


def _key(column: Column) -> str:
    return column.path if _PLAIN.fullmatch(column.path) else f"'{column.path}'"


def _writable(column: Column) -> bool:
    return column.declared is not None and (column.declared.creatable or column.declared.updatable)


def _spelled(path: str) -> str:
    words = [word.lower() for word in _WORD.findall(path.rpartition(".")[2])]
    return " ".join(word for word in words if word not in _NOISE)
