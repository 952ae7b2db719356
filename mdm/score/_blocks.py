"""Block keys: 64-bit numbers that two records must share to be compared; one definition for both paths.

A key is the lower half of the MD5 of (entity, rule, values), less 2^63; it stands in the store and never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from itertools import product

from mdm.declaration import Block, Declaration, Features, Value
from mdm.normalise import NORMALISERS

BREAK = "\x1f"
_OFFSET = 1 << 63


def blocks_of(declaration: Declaration) -> tuple[Block, ...]:
    """The declared blocks, then one for every identifier whose equality is an edge of its own and which has none."""
    declared = declaration.blocks
    alone = {block.parts[0][0] for block in declared if len(block.parts) == 1 and block.parts[0][1] is None}
    return declared + tuple(
        Block(((one.column, None),))
        for one in declaration.identifiers
        if one.same is not None and one.column not in alone
    )


@cache
def _makes_many(name: str) -> bool:
    return name in NORMALISERS and NORMALISERS[name].many


def many_columns(declaration: Declaration) -> frozenset[str]:
    """The columns whose value is a tuple."""
    return frozenset(
        c.name for c in declaration.columns if c.many or any(_makes_many(call.name) for call in c.normalise)
    )


def number_columns(declaration: Declaration) -> frozenset[str]:
    """The columns whose value is a number."""
    return frozenset(
        c.name for c in declaration.columns if c.normalise and c.normalise[-1].name == "number" and not c.many
    )


def key_of(entity: str, rule: int, values: tuple[str, ...]) -> int:
    """The key of one rule and the values it names."""
    text = BREAK.join((entity, str(rule), *values))
    digest = hashlib.md5(text.encode("utf-8"), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") - _OFFSET


def keys_by(declaration: Declaration) -> Callable[[Features], tuple[int, ...]]:
    """A function that gives the keys of one record: a rule of which one column says nothing gives none."""
    entity = declaration.entity
    rules = [(number, block.parts) for number, block in enumerate(blocks_of(declaration))]

    def keys(features: Features) -> tuple[int, ...]:
        found: dict[int, None] = {}
        for number, parts in rules:
            choices = [_choices(features.get(column), length) for column, length in parts]
            if all(choices):
                for values in product(*choices):
                    found[key_of(entity, number, values)] = None
        return tuple(found)

    return keys


def _choices(value: Value | None, length: int | None) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value if length is None else value[:length]]
    if isinstance(value, tuple | list):  # a tuple that was stored as JSON comes back as a list
        return list(dict.fromkeys(one if length is None else one[:length] for one in value))
    return [str(value)]
