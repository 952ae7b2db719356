"""What Airflow is told of real time, and what its DAGs do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hooked import SECRET, Hooked, change, endpoint
from live_project import FILES
from memory import Memory
from test_worker import CUSTOMER, FEED, at_work, effects, until
from workbench import engine, flow

from landbridge.airflow import host_lane
from landbridge.airflow._live import look_at, tell
from landbridge.errors import Rejected, Unavailable
from landbridge.store import control, live
from landbridge.worker import Shown, Window, Worker


class Ui:
    """Takes runs as Airflow does: one per id."""

    def __init__(self) -> None:
        self.runs: dict[str, tuple[str, dict[str, Any]]] = {}
        self.asked = 0
        self.queued = False
        self.away = False

    def trigger(
        self, dag: str, conf: Mapping[str, Any] | None = None, *, run: str | None = None, note: str | None = None
    ) -> str:
        self.asked += 1
        if self.away:
            raise Unavailable("airflow is away", sent=False)
        assert run is not None
        self.runs.setdefault(f"{dag} {run}", (dag, dict(conf or {})))
        return run

    def waits(self, dag: str) -> bool:
        return self.queued

    def of(self, dag: str) -> list[dict[str, Any]]:
        return [conf for name, conf in self.runs.values() if name == dag]


@pytest.fixture
def ui() -> Ui:
    return Ui()


@pytest.fixture
def made(store, clock, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    shop = Memory("shop", clock, customer=CUSTOMER)
    flows = [
        flow("customers", "crm", "customer", "erp", extract=FEED),
        flow("shoppers", "crm", "customer", "shop", extract=FEED, realtime="dag"),
    ]
    return engine(store, clock, [crm, erp, shop], flows)


HOOK = {"standard": {"secrets": ["env:HOOK_SECRET"]}}


def test_a_window_is_one_run_with_its_counts(made, clock, ui):
    shown = Shown(made.parts, ui)
    with endpoint(HOOK, made, clock) as desk, at_work(Worker(made, watchers=[shown.watch])):
        for n in range(5):
            desk.send(change(f"C{n}"))
        until(lambda: len(effects(made)) == 5)
    shown.close()
    [conf] = ui.of("customers__live")
    assert conf["counts"]["created"] == 5
    assert ui.of("customers__repair") == []


def test_what_died_is_a_run_that_fails_until_it_is_seen_to(made, clock, ui, monkeypatch):
    shown = Shown(made.parts, ui)
    erp = made.parts.systems["erp"]
    erp.script.append(Rejected("erp refuses it", hint="mend it"))
    with endpoint(HOOK, made, clock) as desk, at_work(Worker(made, watchers=[shown.watch])):
        desk.send(change("C1"))
        until(lambda: made.accounting()[0].dead == 1)
    shown.close()
    [conf] = ui.of("customers__repair")
    assert len(conf["ids"]) == 1
    now = f"{made.parts.clock.now():%Y-%m-%dT%H:%M:%S}"
    assert {name.rpartition("_")[0] for name in ui.runs} == {
        f"customers__live window_{now}",
        f"customers__repair repair_{now}",
    }, "a run is named by when it was, and a flow that runs in Airflow, which shares the feed, has none"
    _opens(monkeypatch, made)
    with pytest.raises(Rejected, match="1 of 1 messages need a person"):
        look_at(Path(), conf["ids"])
    with made.parts.store.transaction("replay") as connection:
        control.replay(connection, conf["ids"], clock.now())
    made.deliver()
    assert look_at(Path(), conf["ids"]) == 1


def _opens(monkeypatch: pytest.MonkeyPatch, made: Any) -> None:
    from contextlib import contextmanager
    from types import SimpleNamespace

    @contextmanager
    def opened(*_: Any, **__: Any) -> Any:
        yield SimpleNamespace(store=made.parts.store, engine=made)

    monkeypatch.setattr("landbridge.installation.open_installation", opened)


def test_airflow_that_is_away_hurts_nothing_and_is_told_later(made, clock, ui, caplog):
    ui.away = True
    shown = Shown(made.parts, ui)
    worker = Worker(made, watchers=[shown.watch])
    with endpoint(HOOK, made, clock) as desk, at_work(worker):
        desk.send(change("C1"))
        until(lambda: "C1" in effects(made))
        clock.advance(20)
        until(lambda: ui.asked > 1)
        desk.send(change("C2"))
        until(lambda: "C2" in effects(made))
        ui.away = False
    shown.close()
    assert sum(conf["counts"]["created"] for conf in ui.of("customers__live")) == 2
    assert caplog.text.count("is not shown in Airflow") == 1, "an outage is told once, not every second"


def test_a_flow_whose_windows_are_not_taken_holds_up_no_other(made, clock, ui):
    shown = Shown(made.parts, ui)
    refused = []
    trigger = ui.trigger

    def one_is_missing(dag: str, conf: Any = None, **more: Any) -> str:
        if dag == "customers__live":
            refused.append(dag)
            raise Unavailable("airflow: 404 there is no DAG customers__live", sent=False)
        return str(trigger(dag, conf, **more))

    ui.trigger = one_is_missing
    made.parts.flows["others"] = flow("others", "crm", "customer", "erp", extract=FEED)
    for name in ("customers", "others"):
        shown.watch(Window(made.parts.ids(), name, clock.now(), clock.now(), {"created": 1}))
    shown.close()
    assert refused
    assert len(ui.of("others__live")) == 1


def test_news_of_a_flow_that_runs_in_airflow_set_it_off_once(made, clock, ui):
    now = [1000.0]
    shown = Shown(made.parts, ui, now=lambda: now[0])
    other = Shown(made.parts, ui, now=lambda: now[0])
    with (
        endpoint(HOOK, made, clock) as desk,
        at_work(Worker(made, bell=shown.ring), Worker(made, bell=other.ring)),
    ):
        desk.send(change("A"))
        until(lambda: "A" in effects(made))
        for n in range(20):
            desk.send(change(f"C{n}"))
        until(lambda: len(effects(made)) == 21)
        until(lambda: len(ui.of("shoppers")) == 1)
        now[0] += 11
        until(lambda: len(ui.of("shoppers")) == 2, 5)  # what came during the first ten seconds
        ui.queued = True
        now[0] += 11
        desk.send(change("D"))
        until(lambda: "D" in effects(made))
        time.sleep(0.1)
        assert len(ui.of("shoppers")) == 2, "one waits already, and will find it"
    for one in (shown, other):
        one.close()
    assert made.parts.systems["shop"].effects("customer") == [], "its own DAG delivers it"


def test_rows_that_failed_before_the_window_are_not_of_it(made, clock):
    erp = made.parts.systems["erp"]
    erp.script += [Rejected("no"), Rejected("no")]
    made.parts.systems["crm"].put("customer", "C1", {"name": "C1"})
    made.run("customers")
    clock.advance(60)
    since = clock.now()
    made.parts.systems["crm"].put("customer", "C2", {"name": "C2"})
    made.run("customers")
    with made.parts.store.reading() as connection:
        assert len(live.failed_since(connection, "customers", since)) == 1


def test_the_lane_works_for_its_flows_and_a_window_with_dead_letters_is_red(store, clock, monkeypatch):
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    made = engine(
        store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp", realtime="airflow", extract=FEED)]
    )
    crm.put("customer", "C1", {"name": "C1"})
    made.extract(made.parts.flows["customers"])
    _opens(monkeypatch, made)
    counts = host_lane(Path(), seconds=1.0)
    assert counts["customers"]["created"] == 1 and set(effects(made)) == {"C1"}
    tell(counts)
    with pytest.raises(Rejected, match="2 of customers"):
        tell({"customers": {"dead": 2}, "others": {"created": 1}})


def test_the_dags_of_real_time(tmp_path: Path) -> None:
    pytest.importorskip("airflow", reason="needs the extra `airflow`")
    from test_airflow_dags import ask_airflow

    text = FILES["config/flows/parties.yaml"]
    files = {
        "parties": text,
        "hosted": text.replace("parties", "hosted") + "realtime: airflow\n",
        "own": text.replace("parties", "own") + "realtime: dag\n",
        "slow": text.replace("parties", "slow").replace("fastest: 50ms, ", ""),
    }
    for name, content in {**FILES, **{f"config/flows/{n}.yaml": t for n, t in files.items()}}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    told = ask_airflow(
        f"""
        import json
        from pathlib import Path
        from unittest import mock
        from landbridge.airflow import live_dags
        root = Path({str(tmp_path)!r})
        dags = live_dags(root)
        with mock.patch("airflow.sdk.get_parsing_context", return_value=mock.Mock(dag_id="real_time")):
            alone = list(live_dags(root))
        print(json.dumps({{
            "tasks": {{name: [t.task_id for t in dag.tasks] for name, dag in sorted(dags.items())}},
            "lane": [type(dags["real_time"].timetable).__name__, dags["real_time"].max_active_runs],
            "costs_no_process": type(dags["parties__live"].tasks[0]).__name__,
            "alone": alone,
        }}))
        """,
        tmp_path / "home",
    )
    assert told == {
        "tasks": {
            "hosted__repair": ["look"],
            "parties__live": ["passed"],
            "parties__repair": ["look"],
            "real_time": ["drain", "look"],
        },
        "lane": ["ContinuousTimetable", 1],
        "costs_no_process": "EmptyOperator",
        "alone": ["real_time"],
    }


def test_up_runs_what_real_time_needs_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from landbridge.settings import Installation
    from landbridge.up._children import ADDRESS, real_time

    def programs(webhook: Any, *flows: Any) -> dict[str, Any]:
        settings: Any = SimpleNamespace(
            environment="test",
            installation=Installation.model_validate({"serve": {"workers": 2}}),
            systems={"crm": SimpleNamespace(webhook=webhook)},
            flows={one.flow: one for one in flows},
        )
        found = real_time(tmp_path, {"A": "b"}, settings, tmp_path, "http://127.0.0.1:1", 1234)
        return {child.name: child for child in found}

    live_ = flow("a", "crm", "customer", "erp", extract=FEED)
    assert programs(None, flow("a", "crm", "customer", "erp")) == {}
    assert list(programs(None, live_)) == ["worker"]
    assert programs(None, flow("a", "crm", "customer", "erp", extract=FEED, realtime="airflow")) == {}
    both = programs(object(), live_)
    assert list(both) == ["webhooks", "worker"]
    assert both["worker"].env == {"A": "b", ADDRESS: "http://127.0.0.1:1"}
    assert [*both["webhooks"].argv[-6:]] == ["--host", "127.0.0.1", "--port", "1234", "--workers", "2"]
    assert all(child.restart == "always" for child in both.values())


def test_the_examples_of_the_page_are_right(root: Path) -> None:
    from landbridge.settings import Flow, Installation
    from landbridge.strict import yaml

    text = (root / "docs" / "realtime.md").read_text(encoding="utf-8")
    first, second = (part.partition("```")[0] for part in text.split("```yaml\n")[1:])
    told = yaml.load(first, file="realtime.md").value
    Flow.model_validate({"flow": "orders", "deliver": [{"to": "erp"}], **told})
    Installation.model_validate(yaml.load(second, file="realtime.md").value)
