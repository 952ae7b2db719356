"""Real time in Airflow: the lane that hosts the worker's loop, and the DAGs in which a worker shows what passed.

`<flow>__live` has a run per window of a resident worker; its one operator does nothing and costs no process.
`<flow>__repair` has a run per window in which something came to need a person; it fails until that is mended.
`real_time` hosts the loop itself for flows with `realtime: airflow`, a run per ten minutes.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.airflow._steps import opened
from landbridge.errors import ConfigError, Rejected

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from landbridge.settings import Flow
    from landbridge.worker import Window

LANE = "real_time"
WINDOW = 600.0
"""Seconds of one run of the lane."""
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)

_log = logging.getLogger("landbridge")


def live_dags(root: Path) -> dict[str, DAG]:
    """The DAGs of real time by id; a worker that runs one task gets that one's DAG alone."""
    from airflow.sdk import get_parsing_context

    from landbridge.settings import flow_names, load_flow
    from landbridge.worker import REPAIR, SHOWN

    wanted = get_parsing_context().dag_id
    hosted, made = [], {}
    for name in flow_names(root):
        if wanted not in (None, LANE, SHOWN.format(flow=name), REPAIR.format(flow=name)):
            continue
        try:
            flow = load_flow(root, name)
        except ConfigError:
            continue  # its own DAG says what is wrong with it
        if not flow.live or flow.realtime == "dag":
            continue
        if flow.realtime == "airflow":
            hosted.append(name)
        else:
            made[SHOWN.format(flow=name)] = _shown(flow, SHOWN.format(flow=name))
        made[REPAIR.format(flow=name)] = _repair(flow, REPAIR.format(flow=name), root)
    if hosted:
        made[LANE] = _lane(hosted, root)
    return {name: dag for name, dag in made.items() if wanted in (None, name)}


def _shown(flow: Flow, name: str) -> DAG:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(
        dag_id=name,
        description=f"What a resident worker moved of {flow.flow}: a run per window, its counts in its conf and note.",
        doc_md=_SHOWN_PAGE.format(flow=flow.flow, summary=flow.summary),
        schedule=None,
        tags=["landbridge", "real time", flow.extract.source, flow.extract.entity],
        default_args={"owner": flow.owner or "landbridge"},
    ) as dag:
        EmptyOperator(task_id="passed")
    return dag


def _repair(flow: Flow, name: str, root: Path) -> DAG:
    from airflow.sdk import DAG, Param, task
    from airflow.sdk.exceptions import AirflowFailException

    with DAG(
        dag_id=name,
        description=f"Messages of {flow.flow} that need a person; clear the failed run when they are mended.",
        doc_md=_REPAIR_PAGE.format(flow=flow.flow, summary=flow.summary),
        schedule=None,
        max_active_runs=1,
        tags=["landbridge", "repair", flow.extract.source, flow.extract.entity],
        params={"ids": Param([], type="array", items={"type": "integer"}, title="Rows of the outbox")},
        default_args={"owner": flow.owner or "landbridge", "retries": 0},
    ) as dag:

        @task
        def look(**context: Any) -> int:
            """Fail while one of these messages still needs a person."""
            try:
                return look_at(root, context["params"]["ids"])
            except Rejected as error:
                raise AirflowFailException(error.message) from None

        look()
    return dag


def _lane(flows: list[str], root: Path) -> DAG:
    from airflow.sdk import DAG, task
    from airflow.sdk.exceptions import AirflowFailException

    with DAG(
        dag_id=LANE,
        description=f"The worker's loop for {', '.join(flows)}: a run per {WINDOW / 60:g} minutes.",
        doc_md=_LANE_PAGE.format(flows=", ".join(flows), minutes=f"{WINDOW / 60:g}"),
        schedule="@continuous",
        start_date=_BEGUN,
        catchup=False,
        max_active_runs=1,
        tags=["landbridge", "real time"],
        default_args={"owner": "landbridge", "retries": 0},  # the next run follows at once
    ) as dag:

        @task
        def drain() -> dict[str, dict[str, int]]:
            """Process and deliver what comes in until the window ends; the counts of each flow."""
            return host_lane(root)

        @task
        def look(counts: dict[str, dict[str, int]]) -> None:
            """Fail where something came to need a person, so that it is seen."""
            try:
                tell(counts)
            except Rejected as error:
                raise AirflowFailException(error.message) from None

        result: Any = drain()  # a reference to its result, not a dict
        look(result)
    return dag


def host_lane(root: Path, seconds: float = WINDOW, *, host: str = "airflow") -> dict[str, dict[str, int]]:
    """Be a worker for flows with `realtime: airflow` for so long; what it counted by flow."""
    from landbridge.worker import Worker

    counts: dict[str, Counter[str]] = {}

    def watch(window: Window) -> None:
        counts.setdefault(window.flow, Counter()).update(window.counts)

    with opened(root) as installation:
        until = time.monotonic() + seconds
        Worker(installation.engine, host=host, watchers=[watch]).run(lambda: time.monotonic() >= until)
    return {flow: dict(counted) for flow, counted in sorted(counts.items())}


def tell(counts: dict[str, dict[str, int]]) -> None:
    """Tell a window's counts in the log; Rejected where something needs a person."""
    from landbridge.worker import NEEDS_A_PERSON

    for flow, counted in counts.items():
        _log.info("%s: %s", flow, ", ".join(f"{number} {word}" for word, number in sorted(counted.items())))
    bad = {f: sum(c.get(word, 0) for word in NEEDS_A_PERSON) for f, c in counts.items()}
    if any(bad.values()):
        told = ", ".join(f"{number} of {flow}" for flow, number in bad.items() if number)
        _log.error("hint: landbridge dead list --causes")
        raise Rejected(f"Some messages need a person: {told}.", hint="landbridge dead list --causes")


def look_at(root: Path, ids: list[int]) -> int:
    """How many of these rows were seen to; Rejected, with each one's reason in the log, while some are not."""
    from landbridge.store import live

    with opened(root) as installation, installation.store.reading() as connection:
        left = live.still_failed(connection, ids)
    for row in left:
        reason, _, hint = str(row.reason).partition(" hint: ")
        _log.error("row %d: %s %s is %s: %s", row.id, row.route, row.source_key, row.state, reason)
        if hint:
            _log.error("hint: %s", hint)
    if left:
        flow = left[0].route.partition("/")[0]
        hint = (
            f"look: landbridge dead list --flow {flow}; mend the cause; landbridge dead replay ROW, or "
            "landbridge dead discard ROW --reason ...; then clear this run."
        )
        _log.error("hint: %s", hint)  # a line of its own: the exception stands above a long traceback
        raise Rejected(f"{len(left)} of {len(ids)} messages need a person.", hint=hint)
    return len(ids)


_SHOWN_PAGE = """{summary}

A resident worker moves the messages of `{flow}` as they come; nothing of that waits for Airflow. It tells here what
passed: a run per window of 15 seconds in which something did, with the counts in its note and its conf. The one task
does nothing. The flow's own DAG, `{flow}`, reads and delivers by its schedule beside it; what came to need a person is
a failed run of `{flow}__repair`.
"""

_REPAIR_PAGE = """{summary}

A run of this DAG names messages of `{flow}` that came to need a person, and fails while one of them still does. The log
of its task has each one's reason.

1. Look: `landbridge dead list --flow {flow}`, `landbridge dead show ROW`.
2. Mend the cause: the record, the mapping, or the target's settings.
3. `landbridge dead replay ROW`, or `landbridge dead discard ROW --reason "..."`.
4. Clear the failed run here: it succeeds once none of its messages needs anybody.
"""

_LANE_PAGE = """The worker's loop, hosted by Airflow, for {flows}: a run per {minutes} minutes, and the next at once.

The task `drain` returns what it counted, by flow; `look` fails where something came to need a person:
`landbridge dead list --causes`.
"""
