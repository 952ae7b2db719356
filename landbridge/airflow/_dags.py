"""Makes a DAG of a flow: extract → check → process → deliver → record, each a call of `_steps`.

A flow without quality rules has no check.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.airflow import _steps
from landbridge.airflow._pools import pool_of
from landbridge.airflow._schedule import asset_of, schedule_of
from landbridge.errors import ConfigError, Denied, LandbridgeError, Rejected

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from landbridge.settings import Flow

RETRY_AFTER = timedelta(seconds=15)

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_log = logging.getLogger("landbridge")


def flow_dags(root: Path) -> dict[str, DAG]:
    """The DAGs of a project by id, which is the flow's name; a worker that runs one task gets that flow's alone."""
    from airflow.sdk import get_parsing_context

    from landbridge.settings import flow_names, load_flow

    wanted = get_parsing_context().dag_id
    names = [wanted] if wanted else flow_names(root)
    made = {}
    for name in names:
        try:
            made[name] = _dag(load_flow(root, name), root)
        except ConfigError as error:  # the other flows go on; this one is seen in the UI with what is wrong
            made[name] = _broken(name, error)
    return made


def _dag(flow: Flow, root: Path) -> DAG:
    from airflow.sdk import DAG, AssetAlias, Param, task

    name = flow.flow
    targets = list(dict.fromkeys(route.to for route in flow.deliver))
    alias = AssetAlias(f"{name}.written")
    with DAG(
        dag_id=name,
        description=flow.summary,
        doc_md=_documentation(flow, root),
        schedule=schedule_of(flow),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=not flow.enabled,
        tags=sorted({"landbridge", flow.extract.source, flow.extract.entity, *targets}),
        params={
            "since": Param(
                None,
                type=["null", "string"],
                title="Since",
                description="Read again what changed since this instant, such as 2026-11-01T00:00:00Z.",
            ),
            "limit": Param(None, type=["null", "integer"], minimum=1, title="Limit", description="Records to read."),
            "dry_run": Param(
                False,
                type="boolean",
                title="Dry run",
                description="Tell in the log what would be written; keep and write nothing.",
            ),
        },
        default_args={"owner": flow.owner or "landbridge", "retries": 1, "retry_delay": RETRY_AFTER},
    ) as dag:

        @task(pool=pool_of(flow.extract.source))
        def extract(**context: Any) -> dict[str, Any]:
            """Read what changed into the inbox."""
            asked = context["params"]
            since = _instant(asked["since"]) or _backfilled(context)
            if asked["dry_run"]:
                return _run(_steps.rehearse, root, name, since=since, limit=asked["limit"])
            run = {"trigger": _trigger(context), "parameters": {"since": since, "limit": asked["limit"]}}
            return _run(_steps.extract, root, name, run)

        @task
        def check(run: dict[str, Any]) -> dict[str, Any]:
            """Hold what waits in the inbox to the quality rules; a flow that asks for it stops here."""
            return _run(_steps.check, root, name, run)

        @task
        def process(run: dict[str, Any]) -> dict[str, Any]:
            """Canonicalise, check and resolve what waits in the inbox."""
            return _run(_steps.process, root, name, run)

        @task(pool=pool_of((targets or [flow.extract.source])[0]))
        def deliver(run: dict[str, Any]) -> dict[str, Any]:
            """Translate and deliver what is due."""
            return _run(_steps.deliver, root, name, run)

        @task(outlets=[alias])
        def record(run: dict[str, Any], *, outlet_events: Any = None) -> dict[str, int]:
            """Keep what the run did, and wake the flows that waited for it."""
            counts: dict[str, int] = _run(_steps.record, root, name, run)
            if run["run"] and counts.get("created", 0) + counts.get("updated", 0):  # a dry run has no id
                for entity in sorted({route.entity for route in flow.deliver}):
                    outlet_events[alias].add(asset_of(entity), extra={"run": run["run"]})
            return counts

        gate = [check] if flow.check.quality != "none" else []
        # A task that is called here returns a reference to its result, not a dict.
        tasks: Any = [*gate, process, *([deliver] if targets else []), record]
        result: Any = extract()
        for following in tasks:
            result = following(result)
    return dag


def _broken(name: str, error: ConfigError) -> DAG:
    """A DAG in place of a flow whose file is wrong: never scheduled, and every run of it says why."""
    from airflow.sdk import DAG, task
    from airflow.sdk.exceptions import AirflowFailException

    text = error.message
    with DAG(dag_id=name, description=text[:200], doc_md=f"```\n{text}\n```\n", schedule=None, tags=["broken"]) as dag:

        @task
        def check() -> None:
            """Say what is wrong with the flow's file."""
            raise AirflowFailException(text)

        check()
    return dag


def _run(step: Callable[..., dict[str, Any]], *arguments: Any, **named: Any) -> dict[str, Any]:
    """Call a step; what it raises on purpose stands in the log as what happened and what to do now."""
    from airflow.sdk.exceptions import AirflowFailException

    try:
        return step(*arguments, **named)
    except LandbridgeError as error:
        _log.error("%s", error.message)  # no traceback: a person reads what to do, not where we stood
        if error.hint:
            _log.error("hint: %s", error.hint)  # the same
        if isinstance(error, ConfigError | Denied | Rejected):
            raise AirflowFailException(str(error)) from None  # it will be the same the next time
        raise


def _instant(since: str | None) -> str | None:
    """What a person gives as a start: a day is its first instant in UTC, anything else is the source's to read."""
    return f"{since}T00:00:00Z" if since and _DAY.fullmatch(since) else since


def _trigger(context: dict[str, Any]) -> str:
    """What made the run: scheduled, manual, backfill or asset_triggered."""
    kind = context["dag_run"].run_type
    return str(getattr(kind, "value", kind))


def _backfilled(context: dict[str, Any]) -> str | None:
    """The instant since when a backfill's run reads again."""
    run = context["dag_run"]
    if _trigger(context) != "backfill" or run.logical_date is None:
        return None
    return str((run.data_interval_start or run.logical_date).isoformat())


def _documentation(flow: Flow, root: Path) -> str:
    """The flow's own file, as the page in the UI shows it."""
    text = (root / "config" / "flows" / f"{flow.flow}.yaml").read_text(encoding="utf-8")
    return f"{flow.summary}\n\n```yaml\n{text}```\n"
