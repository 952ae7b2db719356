"""What the checks share: the list of them all, an inbox as the engine keeps it, and writes carried to their end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from landbridge import strict
from landbridge.connector import Accepted, Delivered, Outcome, Row, Write
from landbridge.contract._bench import Bench
from landbridge.errors import Failure

Check = Callable[[Bench], None]
ALL: dict[str, Check] = {}
STATIC = (
    "config_refuses_unknown_fields",
    "every_config_field_has_description_and_example",
    "every_entity_is_declared_soundly",
)
"""The checks that need no server: what `landbridge new connector` writes passes them as it is."""


def contract(check: Check) -> Check:
    """Put a check into the suite under its own name."""
    ALL[check.__name__] = check
    return check


def contract_cases(*cases: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Put one check per case into the suite."""

    def declare(check: Callable[..., None]) -> Callable[..., None]:
        for case in cases:
            ALL[f"{check.__name__}[{case}]"] = partial(check, case=case)
        return check

    return declare


class Inbox:
    """What the engine's receiver keeps: it drops a row whose key, stamp, action and content it has seen."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.cursor: str | None = None
        self._seen: set[tuple[Any, ...]] = set()

    def take(self, connector: Any, entity: str, *, pages: int | None = None) -> list[Row]:
        """Read on from the cursor, at most so many pages; the rows that were new."""
        fresh = []
        for count, page in enumerate(connector.read(entity, self.cursor), 1):
            for row in page.rows:
                digest = strict.json.digest(row.body) if row.body is not None else b""
                mark = (row.key, row.stamp, row.action, digest)
                if mark not in self._seen:
                    self._seen.add(mark)
                    fresh.append(row)
            self.cursor = page.cursor
            assert count < 500, "reading does not end"
            if count == pages:
                break
        self.rows += fresh
        return fresh

    def known(self) -> set[str]:
        """The keys of all rows."""
        return {row.key for row in self.rows}


def settle(bench: Bench, entity: str) -> None:
    """Wait as long as the engine does before it asks about an unknown outcome."""
    bench.tick(bench.connector().entity(entity).settle.total_seconds() + 1)


def outcome_of(connector: Any, write: Write) -> Outcome:
    """The outcome of one write, returned or raised; Accepted stages are carried on to their end."""
    for _ in range(10):
        try:
            outcome: Outcome = connector.write(write.entity, [write])[0]
        except Failure as failure:
            return failure
        if not isinstance(outcome, Accepted):
            return outcome
        write = dataclasses.replace(
            write, stage=outcome.stage, handle=outcome.handle, target_id=outcome.target_id or write.target_id
        )
    raise AssertionError("a staged write does not end")


def delivered(connector: Any, write: Write) -> Delivered:
    """The write must succeed."""
    outcome = outcome_of(connector, write)
    assert isinstance(outcome, Delivered), outcome
    return outcome


def as_update(write: Write, target_id: str, expected: str | None = None, **change: Any) -> Write:
    """The same content once more, onto the record that stands."""
    return dataclasses.replace(write, action="update", target_id=target_id, expected=expected, **change)
