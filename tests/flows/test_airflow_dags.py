"""The DAGs: one per flow, wired as the flow says, made fast, and run by Airflow's own `dag.test()`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from landbridge.airflow._schedule import cron_of, parents_of
from landbridge.settings import flow_names, load_flow, parse_duration
from landbridge.store.embedded import EmbeddedPostgres

pytest.importorskip("airflow", reason="needs the extra `airflow`")


@pytest.mark.parametrize(
    ("every", "cron"),
    [
        ("1m", "* * * * *"),
        ("5m", "*/5 * * * *"),
        ("1h", "0 * * * *"),
        ("6h", "0 */6 * * *"),
        ("1d", "0 0 * * *"),
        ("7m", None),
        ("90m", None),
        ("30s", None),
        ("2d", None),
    ],
)
def test_a_flow_runs_at_round_times_where_there_are_any(every: str, cron: str | None) -> None:
    assert cron_of(parse_duration(every)) == cron


def test_a_flow_is_woken_by_the_parents_its_records_wait_for(root: Path) -> None:
    assert parents_of(load_flow(root, "orders_to_erp")) == ["customer", "product"]
    assert parents_of(load_flow(root, "customers_to_erp")) == []


def ask_airflow(code: str, home: Path, env: dict[str, str] | None = None) -> Any:
    """What a program that has Airflow for itself prints as the last line; Airflow is configured once per process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "LANDBRIDGE_"))}
    given = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__UNIT_TEST_MODE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=kept | given | (env or {}),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def told(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What Airflow makes of dags/flows.py of this checkout."""
    return ask_airflow(
        f"""
        import json, sys, time
        sys.path.insert(0, {str(root)!r})
        from airflow.sdk import get_parsing_context
        import airflow.sdk, airflow.sdk.definitions.decorators, airflow.providers.standard.decorators.python
        from unittest import mock
        space = {{"__file__": {str(root / "dags" / "flows.py")!r}}}
        code = compile(open(space["__file__"]).read(), "flows.py", "exec")
        exec(code, space)
        dags = {{name: dag for name, dag in space.items() if type(dag).__name__ == "DAG"}}
        # a worker that was told its DAG: what the module loads is loaded already, as in a process forked from one
        with mock.patch("airflow.sdk.get_parsing_context", return_value=mock.Mock(dag_id="orders_to_erp")):
            began = time.process_time()
            alone = {{"__file__": space["__file__"]}}
            exec(code, alone)
            spent = time.process_time() - began
        print(json.dumps({{
            "dags": {{name: {{
                "tasks": [t.task_id for t in dag.topological_sort()],
                "pools": {{t.task_id: t.pool for t in dag.tasks}},
                "params": sorted(dag.params), "owner": dag.tasks[0].owner, "runs": dag.max_active_runs,
                "description": dag.description, "tags": sorted(dag.tags),
            }} for name, dag in dags.items()}},
            "alone": sorted(name for name, dag in alone.items() if type(dag).__name__ == "DAG"),
            "spent": spent,
        }}))
        """,
        tmp_path_factory.mktemp("airflow"),
    )


def test_every_flow_file_is_one_dag(told: Any, root: Path) -> None:
    assert sorted(told["dags"]) == flow_names(root)
    for name, dag in told["dags"].items():
        flow = load_flow(root, name)
        gate = ["check"] if flow.check.quality != "none" else []
        assert dag["tasks"] == ["extract", *gate, "process", "deliver", "record"]
        assert (dag["owner"], dag["description"], dag["runs"]) == (flow.owner, flow.summary, 1)
        assert dag["params"] == ["dry_run", "limit", "since"]
        assert dag["pools"]["extract"] == f"sys_{flow.extract.source}"
        assert dag["pools"]["deliver"] == f"sys_{flow.deliver[0].to}"
        assert {"landbridge", flow.extract.source, flow.extract.entity} <= set(dag["tags"])


def test_a_worker_makes_only_its_own_dag_within_fifty_milliseconds_of_cpu(told: Any) -> None:
    assert told["alone"] == ["orders_to_erp"]
    assert told["spent"] < 0.05


PROJECT_FLOW = """
flow: things
summary: Things of one system go to another.
owner: somebody
extract: {from: here, entity: product, every: 5m}
deliver: [{to: there, entity: product}]
"""


def test_a_flow_file_that_is_wrong_is_seen_and_stops_no_other(root: Path, tmp_path: Path) -> None:
    flows = tmp_path / "config" / "flows"
    flows.mkdir(parents=True)
    (flows / "things.yaml").write_text(PROJECT_FLOW, encoding="utf-8")
    (flows / "wrong.yaml").write_text(
        PROJECT_FLOW.replace("things", "wrong").replace("owner", "ovner"), encoding="utf-8"
    )
    lone = PROJECT_FLOW.replace("things", "lone").replace("[{to: there, entity: product}]", "[]")
    (flows / "lone.yaml").write_text(lone, encoding="utf-8")
    found = ask_airflow(
        f"""
        import json
        from pathlib import Path
        from landbridge.airflow import flow_dags
        dags = flow_dags(Path({str(tmp_path)!r}))
        broken = dags["wrong"]
        try:
            broken.get_task("check").python_callable()
            told = ""
        except Exception as error:
            told = f"{{type(error).__name__}}: {{error}}"
        print(json.dumps({{"names": sorted(dags), "tags": sorted(broken.tags), "told": told,
                           "good": [t.task_id for t in dags["things"].tasks],
                           "lone": [t.task_id for t in dags["lone"].tasks]}}))
        """,
        tmp_path / "home",
    )
    assert found["names"] == ["lone", "things", "wrong"]
    assert found["good"] == ["extract", "process", "deliver", "record"]
    assert found["lone"] == ["extract", "process", "record"], "a flow that only brings records to the hub delivers none"
    assert found["tags"] == ["broken"]
    assert found["told"].startswith("AirflowFailException: config/flows/wrong.yaml:4:")
    assert "owner" in found["told"]


@pytest.mark.slow
def test_airflow_runs_a_flow_from_one_system_to_the_other(
    root: Path, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """By `dag.test()`: the first run carries, the second writes nothing, a dry run neither writes nor keeps."""
    database = postgres.ensure_database("airflow_dags")
    airflow = postgres.ensure_database("airflow_dags_meta")
    from sqlalchemy import make_url

    urls = postgres.urls()
    meta = make_url(airflow).set(drivername="postgresql+psycopg2", host="127.0.0.1", port=urls.port, query={})
    project = tmp_path / "project"
    shutil.copytree(root / "dags", project / "dags")
    for part in ("config", "mappings", "schemas"):
        shutil.copytree(root / part, project / part)
    (project / "config" / "landbridge.yaml").write_text("store: {url: env:TEST_STORE}\n", encoding="utf-8")
    found = ask_airflow(
        f"""
        import json, logging, os, sys, tempfile
        from pathlib import Path
        sys.path.insert(0, {str(root)!r})
        from sandbox._base import serve
        from sandbox.demo import World, generate
        project = Path({str(project)!r})
        world = World(Path({str(tmp_path / "systems")!r}), generate(7, customers=5, products=3, orders=0))
        world.crm.register_client("key", "a-secret-of-this-test")
        world.seed()
        with serve(world.crm.app) as crm, serve(world.erp.app) as erp:
            os.environ.update(
                DEMO_CRM_URL=crm.url, DEMO_CRM_CLIENT_ID="key", DEMO_CRM_CLIENT_SECRET="a-secret-of-this-test",
                DEMO_ERP_URL=erp.url, DEMO_ERP_USER="LANDBRIDGE", DEMO_ERP_PASSWORD="sandbox-only",
            )
            from airflow.utils.db import initdb
            initdb()
            from airflow.models.pool import Pool
            for name in ("sys_crm", "sys_erp"):
                Pool.create_or_update_pool(name, 2, "", False)
            from airflow.dag_processing.bundles.manager import DagBundlesManager
            from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
            DagBundlesManager().sync_bundles_to_db()
            bag = DagBag(dag_folder=str(project / "dags"), bundle_path=project / "dags", bundle_name="dags-folder")
            sync_bag_to_db(bag, "dags-folder", None)
            assert not bag.import_errors, bag.import_errors
            dag = bag.dags["customers_to_erp"]
            results = []
            for conf in ({{}}, {{}}, {{"dry_run": True}}):
                if conf:
                    world.crm.insert("Account", {{"Name": "Late", "BillingCity": "Kiel", "BillingCountryCode": "DE"}})
                before = world.erp.count("A_BusinessPartner")
                run = dag.test(run_conf=conf)
                state = str(getattr(run.state, "value", run.state))
                results.append([state, world.erp.count("A_BusinessPartner") - before])
        world.close()
        from landbridge.installation import open_installation
        from landbridge.store import control
        with open_installation(project, "demo") as installation, installation.store.reading() as connection:
            runs = [[run.flow, run.trigger, run.state, run.counts] for run in control.runs(connection)]
            from landbridge.store import quality
            looked = [[one.messages, one.outcome, (installation.state / one.page).is_file()]
                      for one in quality.last_runs(connection, "customers_to_erp", 9)]
        print(json.dumps({{"results": results, "runs": runs[::-1], "looked": looked}}))
        """,
        tmp_path / "home",
        {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": meta.render_as_string(hide_password=False),
            "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
            "LANDBRIDGE_ENVIRONMENT": "demo",
            "TEST_STORE": make_url(database)
            .set(drivername="postgresql", host="127.0.0.1", port=urls.port, query={})
            .render_as_string(hide_password=False),
        },
    )
    assert found["results"] == [["success", 5], ["success", 0], ["success", 0]]
    assert [run[:3] for run in found["runs"]] == [["customers_to_erp", "manual", "succeeded"]] * 2
    first, second = (run[3] for run in found["runs"])
    assert (first["read"], first["created"]) == (5, 5)
    assert not second.get("created") and not second.get("updated")
    assert found["looked"] == [[5, "passed", True]]  # nothing waited for the other runs' gates


@pytest.mark.parametrize(
    ("given", "since"),
    [("2026-11-01", "2026-11-01T00:00:00Z"), ("2026-11-01T08:00:00+01:00", "2026-11-01T08:00:00+01:00"), (None, None)],
)
def test_a_day_is_its_first_instant(given: str | None, since: str | None) -> None:
    from landbridge.airflow._dags import _instant

    assert _instant(given) == since
