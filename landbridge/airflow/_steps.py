"""What the tasks of a flow's DAG do: each opens the project, makes one call of the kernel, and returns small counts.

A run is a dict that travels from task to task: its id, trigger, parameters, when it began and what it counted. No
record travels; records are in the store.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from landbridge.errors import Denied, LandbridgeError, Rejected

if TYPE_CHECKING:
    from landbridge.gate import Looked
    from landbridge.installation import Installation

Run = dict[str, Any]
_log = logging.getLogger("landbridge")


def extract(root: Path, name: str, run: Run) -> Run:
    """Step 1: what changed at the source is in the inbox."""
    from landbridge.time import uuid7

    with opened(root) as installation:
        started = installation.clock.now()
        run = run | {"run": str(uuid7()), "started": started.isoformat(), "counts": {}, "refused": ""}
        try:
            flow = installation.settings.flow(name)
            for route in flow.deliver:
                installation.engine.bind(route.to)
            found = installation.engine.extract(flow, **run["parameters"])
        except LandbridgeError as error:
            _keep(installation, name, run, "failed", str(error))
            raise
        if found.refused:
            _log.warning("%s", found.refused)
        return _counted(run, {"read": found.read, "new": found.new}) | {"refused": found.refused}


def check(root: Path, name: str, run: Run) -> Run:
    """The quality gate: what waits is held to the rules of every flow that reads the feed; Rejected where it stops.

    Nothing is imported for it where nothing waits. The pages of the run travel on by their names.
    """
    if run.get("dry_run"):
        return run
    with opened(root) as installation:
        flow = installation.settings.flow(name)
        if find_spec("great_expectations") is None and flow.check.on_fail != "stop":
            _log.warning("great-expectations is not here: only the rules for single messages are held to")
            return run
        from landbridge.gate import look, standing

        try:
            reason = standing(installation, name)
            if reason is not None:
                raise Denied(f"{name} is paused: {reason}.", hint=f"Mend it, then `landbridge resume {name}`.")
            looked = look(installation, name, UUID(run["run"]))
            _tell(installation, looked)
            for one in looked:
                if one.stopped and one.flow == name:
                    raise Rejected(
                        f"{name} stops before anything is processed: {one.reason}.",
                        hint=f"{installation.state / one.page}; mend it, then `landbridge resume {name}`.",
                    )
        except LandbridgeError as error:
            _keep(installation, name, run, "failed", str(error))
            raise
        pages = {one.flow: one.page for one in looked}
        return run | {"quality": {one.flow: one.outcome for one in looked}, "pages": pages} if looked else run


def _tell(installation: Installation, looked: list[Looked]) -> None:
    for one in looked:
        page = installation.state / one.page
        _log.info("quality of %s: %s, %d messages; page: %s", one.flow, one.outcome, one.messages, page)
        for result in one.results:
            if not result.success:
                said = result.observed or f"{result.unexpected} of {result.evaluated}"
                _log.warning("%s: %s: %s, such as %s", result.severity, result.rule, said, ", ".join(result.sample[:3]))
    if not looked:
        _log.info("nothing waits: no rule was asked")


def _look_for_others(installation: Installation, name: str, run: Run) -> None:
    """What a flow without rules processes, other flows of its feed may hold to theirs: their gate looks first."""
    if installation.settings.flow(name).check.quality != "none" or find_spec("great_expectations") is None:
        return
    from landbridge.gate import look

    if looked := look(installation, name, UUID(run["run"])):
        _tell(installation, looked)


def process(root: Path, name: str, run: Run) -> Run:
    """Steps 2 to 4: what waits in the inbox stands in the outbox or in quarantine."""
    if run.get("dry_run"):
        return run
    with opened(root) as installation:
        try:
            _look_for_others(installation, name, run)
            counts = installation.engine.process(*installation.settings.flow(name).feed)
        except LandbridgeError as error:
            _keep(installation, name, run, "failed", str(error))
            raise
        return _counted(run, {word: counts[word] for word in ("quarantined", "suppressed", "noted")})


def deliver(root: Path, name: str, run: Run) -> Run:
    """Steps 5 to 7: what is due is in the target, waits for its next attempt, or is a dead letter."""
    if run.get("dry_run"):
        return run
    with opened(root) as installation:
        try:
            counts = installation.engine.deliver({name})
        except LandbridgeError as error:
            _keep(installation, name, run, "failed", str(error))
            raise
        return _counted(run, counts.get(name, {}))


def record(root: Path, name: str, run: Run) -> dict[str, int]:
    """Keep the run with its counts; Rejected if a snapshot was refused, so that the run is seen as failed."""
    counts: dict[str, int] = run["counts"]
    if not run.get("dry_run"):
        with opened(root) as installation:
            _keep(installation, name, run, "failed" if run["refused"] else "succeeded", run["refused"] or None)
    told = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()) if number)
    _log.info("%s: %s", name, told or "nothing to do")
    if run.get("refused"):
        raise Rejected(run["refused"], hint="The other messages of this run went on.")
    return counts


def rehearse(root: Path, name: str, *, since: str | None, limit: int | None) -> Run:
    """A dry run: what a run would do, told in the log by key and field; nothing is kept or written.

    Values stay out of the log, since some of them are personal; `landbridge run --dry-run` shows them.
    """
    from landbridge.engine import preview

    with opened(root) as installation:
        found = preview(installation.engine, name, since=since, limit=limit)
    for one in found.examples:
        fields = ", ".join(difference.field for difference in one.differences)
        _log.info("%s: %s %s %s in %s: %s", one.route, one.what, one.entity, one.key, one.system, one.reason or fields)
    return {"dry_run": True, "run": "", "counts": dict(found.counts), "refused": found.refused}


def opened(root: Path) -> AbstractContextManager[Installation]:
    """The installation that a task works with; what its libraries say of themselves stays out of the task's log."""
    from landbridge.installation import open_installation

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Every flow is read, not only this one: a feed's messages fan out to all flows that subscribe to it.
    return open_installation(root, os.environ.get("LANDBRIDGE_ENVIRONMENT"))


def _counted(run: Run, more: dict[str, int]) -> Run:
    counts: Counter[str] = Counter(run["counts"])
    counts.update(more)
    return run | {"counts": dict(counts)}


def _keep(installation: Installation, name: str, run: Run, state: str, error: str | None) -> None:
    """Write the run's row in one go: a run that died on the way leaves none that is `running` for ever."""
    from landbridge.store import control

    with installation.store.transaction("run") as connection:
        started = datetime.fromisoformat(run["started"])
        control.begin_run(connection, UUID(run["run"]), name, run["trigger"], run["parameters"], started)
        control.end_run(connection, UUID(run["run"]), state, run["counts"], error, installation.clock.now())
