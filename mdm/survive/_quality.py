"""How good a golden record is: how much of what is declared it says, and how far its records agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mdm.declaration import Declaration
from mdm.survive._values import alike, says


class _Body(Protocol):
    @property
    def body(self) -> Mapping[str, Any]: ...


def quality(members: Sequence[_Body], values: Mapping[str, Any], declaration: Declaration) -> dict[str, Any]:
    """`score` from 0 to 1: three fifths how complete, two fifths how far the records that speak agree."""
    asked = attributes(declaration)
    complete = sum(says(values.get(name)) for name in asked) / len(asked) if asked else 1.0
    spoken = agreed = 0
    if len(members) > 1:
        for name in asked:
            said = [alike(one.body[name]) for one in members if says(one.body.get(name))]
            if len(said) > 1:
                spoken += 1
                agreed += len(set(said)) == 1
    share = agreed / spoken if spoken else 1.0
    return {
        "score": round(0.6 * complete + 0.4 * share, 4),
        "complete": round(complete, 4),
        "agreed": round(share, 4),
        "records": len(members),
    }


def attributes(declaration: Declaration) -> list[str]:
    """The attributes that the declaration compares or decides about."""
    compared = {path.split(".")[0].removesuffix("[]") for column in declaration.columns for path in column.paths}
    return sorted(compared | {name for survivor in declaration.survivors for name in survivor.attributes})
