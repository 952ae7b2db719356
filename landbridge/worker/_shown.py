"""What passed, shown in Airflow: a run that does nothing per window, one that fails where something needs a person.

Everything here is told in a thread of its own. Airflow may be slow or away: nothing of the work waits for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from landbridge.engine import Parts
from landbridge.errors import LandbridgeError
from landbridge.store import live
from landbridge.worker._hand import Hand
from landbridge.worker._windows import Window

SHOWN, REPAIR = "{flow}__live", "{flow}__repair"
"""The DAGs of a flow: windows as runs, and runs that fail until what they name is mended."""

NEEDS_A_PERSON = ("dead", "quarantined", "conflict")
EVERY = 10.0
"""Seconds between two runs of a flow's own DAG that news set off."""
_KEPT = 50
_NAMED = 5

_log = logging.getLogger("landbridge.worker")


class Runs(Protocol):
    """What is asked of Airflow."""

    def trigger(
        self, dag: str, conf: Mapping[str, Any] | None = None, *, run: str | None = None, note: str | None = None
    ) -> str: ...

    def waits(self, dag: str) -> bool: ...


class Shown:
    """Takes windows, and rings for flows that run in Airflow."""

    def __init__(
        self, parts: Parts, airflow: Runs, *, every: float = EVERY, now: Callable[[], float] = time.time
    ) -> None:
        self._parts = parts
        self._airflow = airflow
        self._every = every
        self._now = now
        self._windows: list[Window] = []
        self._rung: dict[str, float] = {}  # when a flow's DAG was set off
        self._wanted: set[str] = set()
        self._untold: set[str] = set()  # flows of which Airflow did not take the last window: said once
        self._hand: Hand[str] = Hand("airflow", self._act, lambda: 1.0 if self._wanted or self._windows else 3600.0)
        self._hand.start()

    def watch(self, window: Window) -> None:
        """Show a window of a flow that has a DAG for them; returns at once."""
        flow = self._parts.flows.get(window.flow)
        if flow is None or not flow.live or flow.realtime != "worker":
            return  # it shares a feed with one of ours, and its own DAG shows it
        self._windows.append(window)
        del self._windows[:-_KEPT]  # Airflow is away for long: the store has them all
        self._hand.ask("")

    def ring(self, flow: str) -> None:
        """A flow with `realtime: dag` has news; returns at once."""
        self._hand.ask(flow)

    def close(self) -> None:
        """Show what was not shown yet, once, and end."""
        self._hand.stop()
        self._hand.join()
        self._show()

    def _act(self, asked: set[str]) -> None:
        self._wanted |= asked - {""}
        self._show()
        for flow in sorted(self._wanted):
            self._set_off(flow)

    def _show(self) -> None:
        """Every window in its order; where one of a flow fails, the later ones of that flow wait, and no other's."""
        failed: set[str] = set()
        for window in list(self._windows):
            if window.flow in failed:
                continue
            try:
                self._tell(window)
            except (LandbridgeError, ValueError, KeyError) as error:
                failed.add(window.flow)
                if window.flow not in self._untold:
                    _log.warning("what passes of %s is not shown in Airflow until it answers: %s", window.flow, error)
                continue
            with suppress(ValueError):  # too many wait, and it has just been given up
                self._windows.remove(window)
        self._untold = failed

    def _tell(self, window: Window) -> None:
        counts = dict(window.counts)
        told = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))
        span = {"since": window.since.isoformat(), "until": window.until.isoformat()}
        self._airflow.trigger(
            SHOWN.format(flow=window.flow), {"counts": counts, **span}, run=f"window_{_name(window)}", note=told
        )
        if not any(counts.get(word) for word in NEEDS_A_PERSON):
            return
        with self._parts.store.reading() as connection:
            ids = live.failed_since(connection, window.flow, window.since)
        if ids:
            needed = ", ".join(f"{counts[word]} {word}" for word in NEEDS_A_PERSON if counts.get(word))
            self._airflow.trigger(
                REPAIR.format(flow=window.flow),
                {"ids": ids, "counts": counts, **span},
                run=f"repair_{_name(window)}",
                note=f"{needed}; rows {', '.join(map(str, ids[:_NAMED]))}{' …' * (len(ids) > _NAMED)}",
            )

    def _set_off(self, flow: str) -> None:
        """One run for all that came: none while another waits, and the same for every worker of these seconds."""
        now = self._now()
        if now - self._rung.get(flow, 0.0) < self._every:
            return
        try:
            if not self._airflow.waits(flow):
                self._airflow.trigger(flow, run=f"news_{int(now // self._every)}")
        except (LandbridgeError, ValueError, KeyError) as error:
            _log.warning("%s is not set off in Airflow: %s", flow, error)
            return
        self._rung[flow] = now
        self._wanted.discard(flow)


def _name(window: Window) -> str:
    """What tells a window from every other one, and tells people when it was: the same whenever it is told again."""
    return f"{window.since:%Y-%m-%dT%H:%M:%S}_{window.run.hex[-6:]}"
