"""How good a golden record is: how much of what is declared it says, and how far its records agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mdm.survive._values import alike, says


class _Body(Protocol):
    @property
    def body(self) -> Mapping[str, Any]: ...


def quality(members: Sequence[_Body], values: Mapping[str, Any], asked: Sequence[str]) -> dict[str, Any]:
    """How well a golden record tells about the attributes asked for, from 0 to 1.

    `score` is three fifths how complete it is, two fifths how far the records that speak agree.
    """
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
