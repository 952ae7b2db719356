"""The nightly comparison: what the DAG is, and what its one task says and raises."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from house import House

from landbridge import drift
from landbridge.airflow._drift import compare_fields
from landbridge.errors import LandbridgeError, Rejected
from sandbox.salesforce import altered


@pytest.fixture
def nightly(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The house's installation is the project that the task opens."""

    @contextmanager
    def opened(*_: Any, **__: Any) -> Iterator[Any]:
        yield house.installation

    monkeypatch.setattr("landbridge.installation.open_installation", opened)
    return house


def test_the_first_night_keeps_what_it_saw_and_a_quiet_one_says_nothing(nightly: House, caplog: Any) -> None:
    caplog.set_level(logging.INFO, logger="landbridge")
    used = drift.used(nightly.installation.settings, nightly.installation._mapping)
    assert compare_fields(Path())["first"] == len(used) > 10
    assert compare_fields(Path()) == {"news": 0, "resumed": 0, "first": 0} and not caplog.messages


def test_a_night_that_pauses_a_route_is_red_and_names_line_and_route(nightly: House, caplog: Any) -> None:
    caplog.set_level(logging.INFO, logger="landbridge")
    compare_fields(Path())
    with (
        altered(nightly.crm, "Order", "ERP_Status__c", dropped=True),
        pytest.raises(Rejected, match="order_status_to_crm/crm is paused") as raised,
    ):
        compare_fields(Path())
    assert "landbridge check --live" in raised.value.hint
    assert any("mappings/salesforce/sales_order.yaml:60:3" in one for one in caplog.messages)
    assert compare_fields(Path())["resumed"] == 1
    assert any("order_status_to_crm/crm runs again" in one for one in caplog.messages)


def test_a_system_that_does_not_answer_is_asked_again(nightly: House) -> None:
    nightly.erp_server.stop()
    with pytest.raises(LandbridgeError, match="erp could not be asked") as raised:
        compare_fields(Path())
    assert not isinstance(raised.value, Rejected)  # which Airflow would not try again


def test_the_dag_comes_every_night_and_to_its_own_worker_alone(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("airflow", reason="needs the extra `airflow`")
    from test_airflow_dags import ask_airflow

    told = ask_airflow(
        f"""
        import json
        from unittest import mock
        space = {{"__file__": {str(root / "dags" / "drift.py")!r}}}
        code = compile(open(space["__file__"]).read(), "drift.py", "exec")
        exec(code, space)
        dags = {{name: dag for name, dag in space.items() if type(dag).__name__ == "DAG"}}
        with mock.patch("airflow.sdk.get_parsing_context", return_value=mock.Mock(dag_id="orders_to_erp")):
            alone = {{"__file__": space["__file__"]}}
            exec(code, alone)
        print(json.dumps({{
            "dags": {{name: [t.task_id for t in dag.tasks] for name, dag in dags.items()}},
            "expression": [dag.timetable.expression for dag in dags.values()],
            "alone": [name for name, dag in alone.items() if type(dag).__name__ == "DAG"],
        }}))
        """,
        tmp_path,
    )
    assert told == {"dags": {"schema_drift": ["compare"]}, "expression": ["0 2 * * *"], "alone": []}
