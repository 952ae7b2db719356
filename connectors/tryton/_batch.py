"""One call for many records: all of them or none, so one that is refused is looked for and the others go without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from connectors.tryton._errors import Fault, unknown
from landbridge.errors import Conflict, Failure, OutcomeUnknown, Rejected

T = TypeVar("T")
R = TypeVar("R")
Call = Callable[[Sequence[T]], Sequence[R]]
Stands = Callable[[Sequence[T]], Sequence[R | None]]


def together(rows: Sequence[T], call: Call[T, R], stands: Stands[T, R] | None = None) -> list[R | Failure]:
    """One result per row, in order; a refused batch is halved until each refusal stands alone.

    `stands` looks up what became of rows when Tryton failed inside, for its error may come after the commit.
    """
    if not rows:
        return []
    try:
        return list(call(rows))
    except Fault as fault:
        there = _look(rows, stands)
        if there is None or any(each is not None for each in there):
            return [unknown(fault) if each is None else each for each in there or [None] * len(rows)]
        failure: Failure = Rejected(fault.message, hint=fault.hint, status=fault.status)
    except (Rejected, Conflict) as refused:
        failure = refused
    except Failure as other:
        return [other] * len(rows)
    if len(rows) == 1:
        return [failure]
    half = len(rows) // 2
    return [*together(rows[:half], call, stands), *together(rows[half:], call, stands)]


def _look(rows: Sequence[T], stands: Stands[T, R] | None) -> Sequence[R | None] | None:
    if stands is None:
        return None
    try:
        return stands(rows)
    except OutcomeUnknown:
        return None
    except Failure:
        return None
