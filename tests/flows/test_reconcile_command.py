"""`landbridge reconcile` and the nightly DAG: what they print, send and exit with."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from memory import Book
from workbench import engine, flow

from landbridge.airflow._reconcile import reconcile_flow
from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.errors import Rejected
from landbridge.strict import json

CUSTOMER = Entity("Customer", create="B", update="B", delete="B", batch=50)


@pytest.fixture
def crm(clock: Any) -> Book:
    return Book("crm", clock, customer=CUSTOMER)


@pytest.fixture
def erp(clock: Any) -> Book:
    return Book("erp", clock, customer=CUSTOMER)


@pytest.fixture
def desk(store: Any, clock: Any, crm: Book, erp: Book, tmp_path: Path, monkeypatch: Any, capsys: Any) -> Desk:
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    for n in range(3):
        crm.save("customer", f"C{n}", {"name": f"Name {n}"}, f"t{n}")
    made.run("customers")
    return Desk(made, tmp_path, monkeypatch, capsys, Canonical({}))


def test_the_command_reports_then_sends_then_has_nothing_to_say(desk: Desk, crm: Book, erp: Book) -> None:
    crm.save("customer", "C77", {"name": "Untold"}, "t0", told=False)
    told = desk("reconcile", "customers")
    assert (told.code, "1 missing" in told.out, "C77" in told.out) == (1, True, True), told
    assert len(erp.effects("customer")) == 3
    found = json.loads(desk("reconcile", "customers", "--json").out.encode())
    assert (found["differences"]["missing"], found["applied"]) == (1, False)
    assert found["samples"]["missing"][0]["source_key"] == "C77"
    sent = desk("reconcile", "customers", "--apply")
    assert (sent.code, "1 sent again" in sent.out) == (0, True), sent
    assert len(erp.effects("customer")) == 4
    over = desk("reconcile", "customers")
    assert (over.code, "Nothing differs." in over.out) == (0, True)
    [row] = json.loads(desk("status", "--json").out.encode())
    assert row["last_reconcile"]["state"] == "succeeded"
    assert "0 differ" in row["reconcile"]


def test_a_refusal_exits_with_one_and_says_what_to_do(desk: Desk, crm: Book) -> None:
    for n in range(3, 10):
        crm.save("customer", f"C{n}", {"name": f"Name {n}"}, f"t{n}")
    desk.made.run("customers")
    for n in range(7):
        crm.remove("customer", f"C{n}")
    refused = desk("reconcile", "customers", "--apply")
    assert (refused.code, "7 of 10" in refused.err, "--accept" in refused.err) == (1, True, True), refused
    assert desk("reconcile", "customers", "--apply", "--accept").code == 0


def test_by_night_targets_are_only_told(desk: Desk, erp: Book, tmp_path: Path, monkeypatch: Any) -> None:
    @contextmanager
    def opened(*_: Any, **__: Any) -> Any:
        yield desk.installation

    monkeypatch.setattr("landbridge.installation.open_installation", opened)
    assert reconcile_flow(tmp_path, "customers", apply=True, targets=False)["known"] == 3
    record = erp.effects("customer")[0]
    record.header["name"] = "Changed by hand"
    record.version += 1
    with pytest.raises(Rejected, match="1 records differ"):
        reconcile_flow(tmp_path, "customers", apply=True, targets=False)
    assert record.header["name"] == "Changed by hand"
    assert reconcile_flow(tmp_path, "customers", apply=True, targets=True)["changed"] == 1
    assert record.header["name"] == "Name 0"
    kept = desk("reconcile", "customers", "--apply", "--source-only")
    assert kept.code == 0


def test_the_nightly_dag_has_a_task_for_every_enabled_flow(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("airflow", reason="needs the extra `airflow`")
    from test_airflow_dags import ask_airflow

    from landbridge.settings import flow_names, load_flow

    told = ask_airflow(
        f"""
        import json
        space = {{"__file__": {str(root / "dags" / "reconcile.py")!r}}}
        exec(compile(open(space["__file__"]).read(), "reconcile.py", "exec"), space)
        dags = {{name: dag for name, dag in space.items() if type(dag).__name__ == "DAG"}}
        print(json.dumps({{
            "tasks": {{name: sorted(dag.task_ids) for name, dag in dags.items()}},
            "expression": [dag.timetable.expression for dag in dags.values()],
        }}))
        """,
        tmp_path,
    )
    enabled = sorted(name for name in flow_names(root) if load_flow(root, name).enabled)
    assert told == {"tasks": {"reconcile": enabled}, "expression": ["0 1 * * *"]}
