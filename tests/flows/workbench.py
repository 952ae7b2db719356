"""Puts an engine together from memory systems: the smallest installation that still runs the whole engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from memory import Memory

from landbridge.engine import Engine, Parts
from landbridge.settings import Flow, Ownership
from landbridge.store import Store
from landbridge.time import CountingIds, ManualClock, uuid7


class Plain:
    """A mapping in Python, so that a test of the engine says on one line what it translates."""

    def __init__(
        self,
        read: Callable[[Mapping[str, Any], Any], dict[str, Any]] | None = None,
        write: Callable[[Mapping[str, Any], Any], dict[str, Any]] | None = None,
    ) -> None:
        self.digest = "plain"
        self._read = read or (lambda native, _: dict(native))
        self._write = write or (lambda canonical, _: dict(canonical))

    def read(self, native: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return self._read(native, context)

    def write(self, canonical: Mapping[str, Any], context: Any, *, creating: bool) -> dict[str, Any]:
        return self._write(canonical, context)


class AnySchema:
    """Takes every body."""

    def check(self, entity: str, body: Mapping[str, Any]) -> None:
        return


def flow(name: str, source: str, entity: str, *targets: dict[str, Any] | str, **more: Any) -> Flow:
    """A flow with its defaults."""
    deliver = [{"to": t, "entity": entity} if isinstance(t, str) else {"entity": entity, **t} for t in targets]
    return Flow.model_validate(
        {
            "flow": name,
            "summary": "A flow of a test.",
            "owner": "tests",
            "extract": {"from": source, "entity": entity},
            "deliver": deliver,
            **more,
        }
    )


def engine(
    store: Store,
    clock: ManualClock,
    systems: list[Memory],
    flows: list[Flow],
    mappings: dict[tuple[str, str], Any] | None = None,
    **parts: Any,
) -> Engine:
    """An engine over these systems and flows; mappings default to passing everything through."""
    pairs = {(s.name, e): Plain() for s in systems for e in s.declared}
    made = Engine(
        Parts(
            store=store,
            systems={s.name: s for s in systems},
            flows={f.flow: f for f in flows},
            mappings={**pairs, **(mappings or {})},
            schema=parts.pop("schema", AnySchema()),
            ownership=parts.pop("ownership", Ownership.model_validate({})),
            clock=clock,
            ids=parts.pop("ids", uuid7),
            **parts,
        )
    )
    made.register()
    return made


def balanced(made: Engine) -> list[Any]:
    """The accounting, after holding it to its equation."""
    rows = made.accounting()
    for row in rows:
        parts = (row.delivered, row.suppressed, row.dead, row.discarded, row.quarantined, row.conflict, row.steward)
        assert row.received == sum(parts) + row.in_flight, row
    return rows


__all__ = ["AnySchema", "CountingIds", "Plain", "balanced", "engine", "flow"]
