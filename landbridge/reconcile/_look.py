"""What a look gathers: differences kept in the store as they are found, counts, and a few samples of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from landbridge.engine import Engine
from landbridge.settings import Flow
from landbridge.store import reconciling
from landbridge.store._reconcile import Difference

AT_ONCE = 100
"""Records that are fetched together."""
SAMPLES = 5


@dataclass(slots=True)
class Look:
    """One look at one flow."""

    engine: Engine
    flow: Flow
    run: UUID
    feed_id: int
    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Difference]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    found: int = 0

    def keep(self, differences: Sequence[Difference]) -> None:
        """Keep what was found."""
        if not differences:
            return
        with self.engine.parts.store.transaction("reconcile", wait=False) as connection:
            reconciling.keep(connection, self.run, self.flow.flow, self.found + 1, differences)
        self.found += len(differences)
        for one in differences:
            self.counts[one.kind] += 1
            shown = self.samples.setdefault(one.kind, [])
            if len(shown) < SAMPLES:
                shown.append(one)
