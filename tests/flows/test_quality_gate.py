"""The quality gate over what waits: what it finds, what follows, what it leaves behind, and what it never does."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from memory import Memory
from sqlalchemy import text
from workbench import balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.engine import Engine
from landbridge.errors import Denied, LandbridgeError, Rejected
from landbridge.quality import Checker, Rules, read_rules
from landbridge.store import Store, control, quality
from landbridge.strict import yaml
from landbridge.time import ManualClock

pytest.importorskip("great_expectations", reason="needs the extra `quality`")

from landbridge import gate
from landbridge.gate import _look


@dataclass
class Configured:
    """What the gate asks of settings."""

    flows: dict[str, Any]
    quality: dict[str, Rules]

    def flow(self, name: str) -> Any:
        return self.flows[name]

    def subscribers(self, system: str, entity: str) -> list[Any]:
        return [one for one in self.flows.values() if one.feed == (system, entity)]


@dataclass
class Desk:
    """An installation as the gate sees it, over systems in memory."""

    crm: Memory
    erp: Memory
    engine: Engine
    store: Store
    clock: ManualClock
    state: Path
    settings: Configured
    number: int = 0
    bodies: dict[str, Any] = field(default_factory=dict)

    def put(self, key: str, **body: Any) -> None:
        self.crm.put("sales_order", key, {"number": key, "currency": "EUR", **body}, stamp=f"s{self.number}")
        self.number += 1

    def extract(self) -> None:
        self.engine.extract(self.settings.flow("orders"))

    def look(self) -> gate.Looked:
        (found,) = gate.look(self, "orders")  # type: ignore[arg-type]  # what of an installation it asks for is here
        return found

    def process(self) -> None:
        self.engine.process("crm", "sales_order")

    def states(self) -> dict[str, str]:
        statement = "select i.source_key, o.state from outbox o join inbox i on i.id = o.message_id"
        with self.store.reading() as connection:
            return {row.source_key: row.state for row in connection.execute(text(statement))}

    def findings(self, key: str) -> list[dict[str, str]]:
        statement = "select o.findings from outbox o join inbox i on i.id = o.message_id where i.source_key = :key"
        with self.store.reading() as connection:
            return connection.execute(text(statement), {"key": key}).scalar_one() or []

    def paused(self) -> str | None:
        with self.store.reading() as connection:
            return control.paused(connection).get("orders")

    def waiting(self) -> int:
        with self.store.reading() as connection:
            return connection.execute(text("select count(*) from inbox where not processed")).scalar_one()


Made = Callable[..., Desk]

UNIQUE = "{type: expect_column_values_to_be_unique, column: number, notes: One number is there twice., name: twice}"
TOTAL = """{type: expect_column_values_to_be_between, column: totals.net.amount, min_value: 0, name: total,
   notes: A total is not negative.}"""


@pytest.fixture
def made(root: Path, store: Store, clock: ManualClock, tmp_path: Path) -> Iterator[Made]:
    """Makes a desk with these rules and this `on_fail`."""
    canonical = Canonical.load(root / "schemas" / "canonical")

    def make(*rules: str, on_fail: str = "quarantine") -> Desk:
        lines = "".join(f"  - {rule}\n" for rule in rules)
        node = yaml.load(f"entity: sales_order\nexpectations:\n{lines}", file="config/quality/strict.yaml")
        strict = read_rules(node, "strict", canonical)
        crm, erp = (
            Memory(name, clock, sales_order=Entity("Order", create="C", update="C", lines="lines"))
            for name in ("crm", "erp")
        )
        orders = flow("orders", "crm", "sales_order", "erp", check={"quality": "strict", "on_fail": on_fail})
        checker = Checker(strict)
        running = engine(store, clock, [crm, erp], [orders], check=lambda name, body: checker(body))
        settings = Configured({"orders": orders}, {"strict": strict})
        return Desk(crm, erp, running, store, clock, tmp_path / "state", settings)

    yield make


def test_a_rule_across_the_batch_sets_aside_the_messages_that_break_it_and_no_other(made: Made) -> None:
    desk = made(UNIQUE, TOTAL)
    for key, number in (("a", "1"), ("b", "2"), ("c", "1"), ("d", "3")):
        desk.put(key, number=number)
    desk.put("e", number="4", totals={"net": {"amount": "-1", "currency": "EUR"}})
    desk.extract()
    looked = desk.look()
    assert (looked.outcome, looked.messages) == ("quarantined", 5)
    told = {one.rule: (one.evaluated, one.unexpected, one.success, one.sample) for one in looked.results}
    assert told == {"twice": (5, 2, False, ("a", "c")), "total": (1, 1, False, ("e",))}
    desk.process()
    assert desk.states() == {"a": "quarantined", "b": "ready", "c": "quarantined", "d": "ready", "e": "quarantined"}
    (one,) = desk.findings("a")
    assert (one["path"], one["rule"]) == ("number", "twice")
    assert one["message"] == "1 stands more than once in the batch: One number is there twice"
    balanced(desk.engine)


def test_what_only_warns_goes_on_with_its_findings_beside_it(made: Made) -> None:
    desk = made(UNIQUE, TOTAL, on_fail="warn")
    desk.put("a", number="1")
    desk.put("b", number="1", totals={"net": {"amount": "-1", "currency": "EUR"}})
    desk.extract()
    assert desk.look().outcome == "warned"
    desk.process()
    assert desk.states() == {"a": "ready", "b": "ready"}
    assert [one["rule"] for one in desk.findings("b")] == ["twice", "total"]
    desk.engine.deliver({"orders"})
    assert desk.states() == {"a": "delivered", "b": "delivered"}
    assert [one["rule"] for one in desk.findings("b")] == ["twice", "total"]  # what was noted stays noted


def test_a_warning_holds_nothing_up_whatever_the_flow_does_on_failure(made: Made) -> None:
    desk = made(UNIQUE.replace("name: twice", "name: twice, severity: warning"), on_fail="stop")
    desk.put("a", number="1")
    desk.put("b", number="1")
    desk.extract()
    assert desk.look().outcome == "warned" and desk.paused() is None
    desk.process()
    assert desk.states() == {"a": "ready", "b": "ready"}
    assert [one["severity"] for one in desk.findings("a")] == ["warning"]


def test_stop_pauses_the_flow_before_anything_of_the_batch_is_processed_and_resume_goes_on(made: Made) -> None:
    desk = made(UNIQUE, TOTAL, on_fail="stop")
    for key, number in (("a", "1"), ("b", "1"), ("c", "2")):
        desk.put(key, number=number)
    desk.put("d", number="3", totals={"net": {"amount": "-1", "currency": "EUR"}})
    desk.extract()
    looked = desk.look()
    assert looked.stopped
    assert desk.paused() == looked.reason
    assert "One number is there twice (2 of 4), A total is not negative (1 of 1)" in looked.reason
    assert (desk.waiting(), desk.states()) == (4, {})
    assert gate.standing(desk, "orders") == looked.reason  # type: ignore[arg-type]  # as above
    with desk.store.transaction("resume") as connection:
        control.resume(connection, "orders", desk.clock.now())
    assert gate.standing(desk, "orders") is None  # type: ignore[arg-type]  # as above
    desk.put("e", number="5")
    desk.extract()
    assert desk.look().outcome == "quarantined"  # the person has seen these: they do not stop it again
    desk.process()
    assert desk.states() == {"a": "quarantined", "b": "quarantined", "c": "ready", "d": "quarantined", "e": "ready"}
    assert desk.paused() is None
    desk.put("f", number="6", totals={"net": {"amount": "-1", "currency": "EUR"}})
    desk.extract()
    assert desk.look().stopped  # but news does
    balanced(desk.engine)


def test_a_batch_that_is_too_short_stops_until_a_person_lets_it_on_and_not_for_ever(made: Made) -> None:
    desk = made("{type: expect_table_row_count_to_be_between, min_value: 3, name: rows}", on_fail="stop")
    desk.put("a", number="1")
    desk.extract()
    assert desk.look().stopped
    with desk.store.transaction("resume") as connection:
        control.resume(connection, "orders", desk.clock.now())
    assert not desk.look().stopped
    assert desk.paused() is None
    desk.put("b", number="2")
    desk.extract()
    assert desk.look().stopped  # another batch, and still too short


def test_mostly_is_judged_over_the_batch_and_no_single_message_can_break_it(made: Made) -> None:
    share = "{type: expect_column_values_to_not_be_null, column: seller, mostly: 0.5, name: share}"
    desk = made(share)
    for n in range(4):
        desk.put(f"good{n}", seller="S1" if n else None)
    desk.extract()
    assert desk.look().outcome == "passed"  # 3 of 4
    desk.process()
    assert set(desk.states().values()) == {"ready"}
    assert [one["severity"] for one in desk.findings("good0")] == ["warning"]
    for n in range(4):
        desk.put(f"bad{n}", seller=None if n else "S1")
    desk.extract()
    looked = desk.look()
    assert (looked.outcome, looked.results[0].unexpected, looked.results[0].percent) == ("quarantined", 3, 75.0)
    desk.process()
    assert {key: state for key, state in desk.states().items() if key.startswith("bad")} == {
        "bad0": "ready", "bad1": "quarantined", "bad2": "quarantined", "bad3": "quarantined",
    }  # fmt: skip


def test_references_are_known_once_a_system_brought_their_record(made: Made) -> None:
    desk = made("{type: expect_column_values_to_be_in_set, column: 'lines[].product.ref', value_set: {known: product}}")

    def line(product: str) -> dict[str, Any]:
        return {"line_key": "1", "product": {"ref": {"system": "crm", "entity": "product", "id": product}}}

    desk.put("a", lines=[line("P1")])
    desk.extract()
    desk.process()  # P1 is mentioned from now on: that is not known
    with desk.store.transaction("seed") as connection:
        connection.execute(text("update xref set linked_by = 'source' where id = 'P2'"))
    desk.put("b", lines=[line("P1"), line("P2")])
    desk.extract()
    assert desk.look().results[0].unexpected == 2
    with desk.store.transaction("seed") as connection:
        connection.execute(text("update xref set linked_by = 'source' where id = 'P1'"))
    looked = desk.look()
    assert (looked.results[0].unexpected, looked.results[0].evaluated) == (1, 2)
    desk.process()
    (finding,) = desk.findings("b")
    assert (finding["path"], finding["message"]) == (
        "lines[1].product.ref",
        "crm product P2 is no product that is known here",
    )


def test_chunks_are_put_together_as_if_they_were_one(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (
        UNIQUE, TOTAL, "{type: expect_column_values_to_not_be_null, column: seller, mostly: 0.7, name: share}",
        "{type: expect_table_row_count_to_be_between, max_value: 5, name: few, severity: info}",
    )  # fmt: skip
    desk = made(*rules)
    for n in range(11):
        totals = {"net": {"amount": str(3 - n % 5), "currency": "EUR"}}
        desk.put(f"k{n}", number=str(n % 9), seller=None if n % 3 else "S", totals=totals)
    desk.extract()
    whole = desk.look()
    monkeypatch.setattr(_look, "CHUNK", 3)
    parts = desk.look()
    assert [
        (one.rule, one.evaluated, one.unexpected, one.success, one.observed, one.sample) for one in parts.results
    ] == [(one.rule, one.evaluated, one.unexpected, one.success, one.observed, one.sample) for one in whole.results]
    assert {one.rule: one.success for one in parts.results} == dict.fromkeys(("twice", "total", "share", "few"), False)
    assert {one.rule: one.observed for one in parts.results}["few"] == "11"


def test_a_replayed_message_is_held_to_the_batch_of_its_own_time(made: Made) -> None:
    desk = made(UNIQUE)
    desk.put("a", number="1")
    desk.put("b", number="1")
    desk.extract()
    desk.look()
    desk.process()
    assert set(desk.states().values()) == {"quarantined"}
    with desk.store.transaction("replay") as connection:
        ids = [row.id for row in connection.execute(text("select id from outbox order by id limit 1"))]
        control.unprocess(connection, ids)
    desk.process()
    assert sorted(desk.states().values()) == ["quarantined", "ready"]  # alone it is no duplicate


def test_results_and_pages_stay_per_run_and_go_with_retention(made: Made, clock: ManualClock) -> None:
    from landbridge.retention import retire
    from landbridge.settings import Retention

    desk = made(UNIQUE, TOTAL)
    pages = []
    for n in range(3):
        desk.put(f"a{n}", number="1", totals={"net": {"amount": str(n - 1), "currency": "EUR"}})
        desk.extract()
        pages.append(desk.look().page)
        desk.process()
        clock.advance(3600)
    with desk.store.reading() as connection:
        runs = quality.last_runs(connection, "orders", 10)
        found = quality.results(connection, "orders", [one.run for one in runs])
    assert [one.page for one in runs] == pages[::-1]
    assert [[result.unexpected for result in found[one.run]] for one in runs] == [[0, 0], [0, 0], [0, 1]]
    assert all((desk.state / page).is_file() for page in pages)
    clock.advance(401 * 86400)
    retire(desk.store, Retention(), clock.now(), desk.state)
    with desk.store.reading() as connection:
        assert quality.last_runs(connection, "orders", 10) == []
        assert connection.execute(text("select count(*) from quality_result")).scalar_one() == 0
    assert not any((desk.state / page).exists() for page in pages)


def test_the_page_is_great_expectations_own_asks_no_server_and_shows_no_personal_value(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No connection is made but to our own store, nothing is written but below the state folder."""
    asked: list[Any] = []
    genuine = socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda self, address: (asked.append(address), genuine(self, address))[1]
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    desk = made(
        "{type: expect_column_values_to_match_regex, column: 'parties[].name', regex: '^[A-Z]', name: names}",
        "{type: expect_column_values_to_be_in_set, column: currency, value_set: [USD], name: money, hint: Ask.}",
    )
    desk.put("a", parties=[{"role": "sold_to", "name": "ada lovelace"}], currency="<script>alert(1)</script>")
    desk.extract()
    looked = desk.look()
    shown = (desk.state / looked.page).read_text(encoding="utf-8")
    assert "values must match this regular expression" in shown and "values must belong to this set" in shown
    assert "ada lovelace" not in shown and "***" in shown
    assert "<script" not in shown.lower() and "alert(1)" in shown
    for word in ("src=", "http://", "https://", "url(", "@import"):
        assert word not in shown, shown[shown.index(word) - 80 :][:200]
    assert asked == []
    assert {path.name for path in tmp_path.iterdir()} == {"state"}
    assert [path.suffix for path in desk.state.rglob("*") if path.is_file()] == [".html"]


def test_nothing_that_waits_costs_nothing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = made(UNIQUE)
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    assert gate.look(desk, "orders") == []  # type: ignore[arg-type]  # as above
    desk.put("a")
    desk.extract()
    monkeypatch.delitem(sys.modules, "landbridge.gate._judge", raising=False)
    with pytest.raises(LandbridgeError, match="the quality gate needs great_expectations") as missing:
        desk.look()
    assert "extra `quality`" in missing.value.hint
    assert desk.waiting() == 1


def test_what_is_no_canonical_record_is_left_to_processing(made: Made) -> None:
    desk = made(UNIQUE)
    desk.put("a", number="1")
    desk.put("b", number="1")
    desk.crm.put("sales_order", "gone", {}, action="delete")
    broken = desk.engine.parts.mappings["crm", "sales_order"]
    genuine = broken._read
    broken._read = lambda native, context: {}["x"] if native.get("number") == "bad" else genuine(native, context)
    desk.put("c", number="bad")
    desk.extract()
    looked = desk.look()
    assert (looked.messages, looked.results[0].evaluated) == (3, 2)
    desk.process()
    assert desk.states()["c"] == "quarantined"
    assert "quarantined" in {row.state for row in _rows(desk)}


def _rows(desk: Desk) -> list[Any]:
    with desk.store.reading() as connection:
        return list(connection.execute(text("select state from outbox")))


def test_an_empty_batch_of_lines_is_no_failure(made: Made) -> None:
    desk = made("{type: expect_column_values_to_be_between, column: 'lines[].price.amount', min_value: 0, name: price}")
    desk.put("a", lines=[])
    desk.extract()
    looked = desk.look()
    assert (looked.outcome, looked.results[0].evaluated) == ("passed", 0)


def test_what_only_warns_never_takes_the_place_of_what_quarantines(made: Made) -> None:
    """Two rules across the batch that look at different rows: each finds something wrong with the same messages."""
    often = UNIQUE.replace("twice}", "again, severity: warning, when: {currency: [EUR]}}")
    desk = made(UNIQUE, often)
    for key in ("a", "b"):
        desk.put(key, number="1")
    desk.extract()
    assert desk.look().outcome == "quarantined"
    desk.process()
    assert desk.states() == {"a": "quarantined", "b": "quarantined"}
    assert {one["rule"] for one in desk.findings("a")} == {"twice", "again"}
    balanced(desk.engine)


def test_who_processes_while_the_gate_looks_again_still_sees_what_it_found_before(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two flows read one feed: the second one's gate looks while the first one already processes."""
    desk = made(UNIQUE)
    for key in ("a", "b"):
        desk.put(key, number="1")
    desk.extract()
    desk.look()
    genuine = _look._Batch.read

    def read(batch: Any, feed_id: int, last: int) -> None:
        desk.process()
        genuine(batch, feed_id, last)

    monkeypatch.setattr(_look._Batch, "read", read)
    desk.look()
    assert desk.states() == {"a": "quarantined", "b": "quarantined"}


def test_what_was_processed_while_the_gate_looked_keeps_no_findings(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker may process the feed meanwhile: a stale finding would quarantine a later replay."""
    desk = made(UNIQUE)
    desk.put("a", number="1")
    desk.put("b", number="1")
    desk.extract()
    genuine = _look._Batch.read

    def read(batch: Any, feed_id: int, last: int) -> None:
        judged = batch._judge
        batch._judge = lambda frame: (desk.process(), judged(frame))[1]
        genuine(batch, feed_id, last)

    monkeypatch.setattr(_look._Batch, "read", read)
    desk.look()
    assert desk.states() == {"a": "ready", "b": "ready"}
    with desk.store.reading() as connection:
        assert connection.execute(text("select count(*) from quality_finding")).scalar_one() == 0


def test_a_dag_stops_at_its_check_until_a_person_lets_it_go_on(
    made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: ManualClock
) -> None:
    """What the task `check` does, without Airflow: it fails, says why, and the run is kept as failed."""
    from contextlib import nullcontext

    from landbridge.airflow import _steps
    from landbridge.time import uuid7

    desk = made(UNIQUE, TOTAL, on_fail="stop")
    monkeypatch.setattr(_steps, "opened", lambda _: nullcontext(desk))
    monkeypatch.setattr(desk.settings, "subscribers", lambda *_: [desk.settings.flow("orders")], raising=False)
    caplog.set_level("INFO", logger="landbridge")

    def run() -> dict[str, Any]:
        begun = {
            "run": str(uuid7()),
            "started": clock.now().isoformat(),
            "counts": {},
            "trigger": "t",
            "parameters": {},
        }
        return _steps.check(Path(), "orders", begun)

    assert "quality" not in run()
    assert "nothing waits: no rule was asked" in caplog.text
    desk.put("a", number="1")
    desk.put("b", number="1")
    desk.extract()
    with pytest.raises(Rejected, match="orders stops before anything is processed: the quality gate found") as stopped:
        run()
    page = desk.state / quality_page(desk)
    assert str(page) in stopped.value.hint and page.is_file()
    assert f"page: {page}" in caplog.text and "critical: twice: 2 of 2, such as a, b" in caplog.text
    assert desk.waiting() == 2
    with pytest.raises(Denied, match="orders is paused: the quality gate found"):
        run()
    with desk.store.reading() as connection:
        assert [one.state for one in control.runs(connection)] == ["failed", "failed"]
    with desk.store.transaction("resume") as connection:
        control.resume(connection, "orders", clock.now())
    passed = run()
    assert passed["quality"] == {"orders": "quarantined"}
    assert (desk.state / passed["pages"]["orders"]).is_file()
    assert _steps.check(Path(), "orders", {"dry_run": True}) == {"dry_run": True}


def test_a_flow_without_rules_does_not_process_past_the_gate_of_another_one(
    made: Made, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    from contextlib import nullcontext

    from landbridge.airflow import _steps
    from landbridge.time import uuid7

    desk = made(UNIQUE)
    desk.settings.flows["plain"] = flow("plain", "crm", "sales_order", "erp", check={"quality": "none"})
    monkeypatch.setattr(_steps, "opened", lambda _: nullcontext(desk))
    for key in ("a", "b"):
        desk.put(key, number="1")
    desk.extract()
    _steps.process(Path(), "plain", {"run": str(uuid7()), "started": clock.now().isoformat(), "counts": {}})
    assert desk.states() == {"a": "quarantined", "b": "quarantined"}


def test_without_great_expectations_a_dag_goes_on_with_the_rules_for_messages_unless_it_must_stop(
    made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from contextlib import nullcontext

    from landbridge.airflow import _steps

    desk = made(UNIQUE)
    monkeypatch.setattr(_steps, "opened", lambda _: nullcontext(desk))
    monkeypatch.setattr(_steps, "find_spec", lambda _: None)
    desk.put("a")
    desk.extract()
    assert _steps.check(Path(), "orders", {"run": "x"}) == {"run": "x"}
    assert "only the rules for single messages are held to" in caplog.text


def quality_page(desk: Desk) -> str:
    with desk.store.reading() as connection:
        return str(quality.last_runs(connection, "orders", 1)[0].page)
