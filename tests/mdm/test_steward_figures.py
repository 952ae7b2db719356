"""Figures of stewardship: what waits and since when, how long decisions took, and notices that were dismissed."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hub_bench import customers, record, told
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from steward_bench import ACME, ACME_MAYBE, terminal, twins

from landbridge.errors import Invalid
from landbridge.metrics import exposition, sources
from mdm.steward import METRICS, Desk, Figures, View
from mdm.steward._notices import counts, holds


@pytest.fixture
def steward(root: Path, tmp_path: Path, store: Any, clock: Any, monkeypatch: Any, capsys: Any) -> Any:
    world, landbridge = terminal(root, tmp_path, store, clock, monkeypatch, capsys)

    def run(*arguments: Any, code: int = 0) -> str:
        ran = landbridge(*arguments)
        assert ran.code == code, ran
        return ran.out if code == 0 else ran.err

    run.world, run.installation = world, landbridge.installation
    run.desk = Desk(landbridge.installation)
    return run


def scraped(steward: Any) -> dict[tuple[str, ...], float]:
    page = exposition(steward.world.store, sources(steward.installation)).decode()
    samples = [one for family in text_string_to_metric_families(page) for one in family.samples]
    ours = [one for one in samples if one.name.startswith("landbridge_hub_")]
    return {(one.name.removeprefix("landbridge_hub_"), *one.labels.values()): one.value for one in ours}


def test_monitoring_hears_what_waits_and_since_when(steward: Any, clock: Any) -> None:
    found = scraped(steward)
    assert found["records", "customer"] == 3
    assert found["golden_records", "customer"] == 3
    assert found["doubts", "customer", "review"] == 1
    assert found["doubts", "customer", "kept_apart"] == found["doubts", "customer", "again"] == 0
    before = found["oldest_doubt_seconds", "customer"]
    clock.advance(timedelta(hours=3))
    assert scraped(steward)["oldest_doubt_seconds", "customer"] == before + 3 * 3600
    assert ("decision_seconds", "customer", "0.5") not in found, "nothing was decided"


def test_a_doubt_grows_old_although_its_records_are_told_again(steward: Any, clock: Any) -> None:
    [asked] = View(steward.desk, "customer").queue()
    clock.advance(timedelta(days=2))
    steward.world.shop.put("customer", "1", {**ACME_MAYBE, "payment_terms": "30 days"})
    steward.world.run()
    [again] = View(steward.desk, "customer").queue()
    assert again.since == asked.since


def test_how_long_a_doubt_had_waited_is_kept_with_the_decision(steward: Any, clock: Any, store: Any) -> None:
    [asked] = View(steward.desk, "customer").queue()
    clock.advance(timedelta(hours=5))
    waited = clock.now() - asked.since
    steward("steward", "decide", "customer", "different", "crm:1", "shop:1")
    found = scraped(steward)
    assert found["decision_seconds", "customer", "0.5"] == pytest.approx(waited.total_seconds(), abs=1)
    assert found["decisions_last_day", "customer", "different"] == 1
    assert found["doubts", "customer", "review"] == 0
    clock.advance(timedelta(hours=1))
    steward("steward", "decide", "customer", "different", "crm:1", "crm:2")
    with store.reading() as connection:
        asked_at = connection.execute(text("select asked_at from hub_decision order by at")).scalars().all()
    assert asked_at == [asked.since, None], "about the second pair nobody was asked"


def test_a_pair_that_comes_back_waits_since_it_changed(steward: Any, clock: Any) -> None:
    steward("steward", "decide", "customer", "different", "crm:1", "shop:1")
    clock.advance(timedelta(days=9))
    steward.world.shop.put("customer", "1", {**ACME_MAYBE, "website": "https://acme.example"})
    began = clock.now()
    steward.world.run()
    [again] = View(steward.desk, "customer").queue()
    assert began <= again.since < began + timedelta(hours=1)
    found = scraped(steward)
    assert found["doubts", "customer", "again"] == 1
    assert found["doubts", "customer", "review"] == 0
    clock.advance(timedelta(minutes=30))
    steward("steward", "decide", "customer", "different", "crm:1", "shop:1", "--reason", "still")
    with steward.world.store.reading() as connection:
        newest = connection.execute(text("select asked_at from hub_decision order by at desc limit 1")).scalar_one()
    assert newest == again.since, "it had waited half an hour, not nine days"


def test_the_figures_are_the_queue_and_count_what_is_kept_apart(steward: Any) -> None:
    twins(steward.world, "Bremen", "Kiel", "Lübeck")
    steward.world.shop.put("customer", "2", {**ACME, "identifiers": [{"scheme": "vat", "value": "DE136695976"}]})
    steward.world.crm.put("customer", "1", {**ACME, "identifiers": [{"scheme": "vat", "value": "DE811569869"}]})
    steward.world.run()
    asked = View(steward.desk, "customer").queue(100)
    [status] = steward.desk.status()
    assert sum(status.doubts.values()) == len(asked)
    apart = [one for one in asked if "kept apart" in one.words]
    assert status.doubts["kept_apart"] == len(apart) == 1
    assert status.oldest == min(one.since for one in asked)


def test_counting_everything_is_not_done_at_every_scrape(
    steward: Any, store: Any, clock: Any, monkeypatch: Any
) -> None:
    figures, counted = Figures(steward.world.hub), []
    from mdm.store import figures as stored

    waiting = stored.waiting
    monkeypatch.setattr(stored, "waiting", lambda *given: counted.append(1) or waiting(*given))
    with store.reading() as connection:
        for _ in range(5):
            figures.status(connection, clock.now())
    assert len(counted) == 1, "nothing changed"
    assert figures._held is not None
    twins(steward.world, "Bremen")
    figures._held.took, figures._held.at = 60.0, time.monotonic()
    with store.reading() as connection:
        assert figures.status(connection, clock.now())[0].doubts == {"review": 1}
        assert len(counted) == 1, "it took a minute a moment ago"
        figures._held.at -= 60.0 * 21
        assert figures.status(connection, clock.now())[0].doubts == {"review": 2}


def test_an_installation_without_a_hub_has_no_figures_of_one() -> None:
    engine = SimpleNamespace(parts=SimpleNamespace(hub=None))
    assert sources(SimpleNamespace(engine=engine)) == []  # type: ignore[arg-type]  # nothing else is asked of it


def test_the_page_names_every_metric(root: Path) -> None:
    page = (root / "docs" / "stewardship.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(landbridge_hub_\w+)`", page)) == set(METRICS)
    for name, (said, labels) in METRICS.items():
        assert f"| `{name}` | {', '.join(f'`{label}`' for label in labels)} | {said} |" in page


def test_the_status_tells_people_the_same(steward: Any, clock: Any) -> None:
    clock.advance(timedelta(hours=2))
    said = steward("steward", "status")
    line = next(one for one in said.splitlines() if one.startswith("customer"))
    assert line.split()[:6] == ["customer", "3", "3", "1", "0", "0"]
    steward("steward", "decide", "customer", "same", "crm:1", "shop:1")
    said = steward("steward", "status")
    assert "1 doubt decided in 30 days, half of them within 2 h" in said
    assert "decided in the last day: 1 same" in said
    assert '"oldest": null' in steward("steward", "status", "--json")


# -- notices that were dismissed -------------------------------------------------------------------------------------


def test_a_moved_pin_that_was_dismissed_comes_back_when_it_moves_again(steward: Any) -> None:
    world = steward.world
    steward("steward", "pin", "customer", "crm:1", "name", '"Acme Machines"')
    world.crm.put("customer", "1", {**ACME, "name": "Acme Maschinenbau AG"})
    world.run()
    said = steward("steward", "notices", "customer")
    notice = re.search(r"^(pin_moved:\S+):", said, re.MULTILINE)[1]
    assert scraped(steward)["notices", "customer", "pin_moved"] == 1
    done = steward("steward", "dismiss", "customer", notice, "--reason", "the pin is right")
    assert steward("steward", "notices", "customer").strip() == "Nothing to know."
    assert scraped(steward)["notices", "customer", "pin_moved"] == 0
    assert "by a steward" in steward("steward", "notices", "customer", "--dismissed")
    assert "the pin is right" in steward("steward", "notices", "customer", "--dismissed")
    world.crm.put("customer", "1", {**ACME, "name": "Acme Maschinenbau AG", "payment_terms": "30 days"})
    world.run()
    assert steward("steward", "notices", "customer").strip() == "Nothing to know.", "what the pin hides is the same"
    world.crm.put("customer", "1", {**ACME, "name": "Acme Maschinen SE"})
    world.run()
    assert notice in steward("steward", "notices", "customer"), "it hides another value now"
    assert "no notice" in steward("steward", "dismiss", "customer", "pin_moved:1", code=1)
    assert "landbridge steward undo customer" in done


def test_a_dismissal_is_taken_back_and_stays_in_the_store(steward: Any, store: Any) -> None:
    steward.world.crm.put("customer", "9", {"name": "?"})
    steward.world.run()
    notice = re.search(r"^(unidentified:\S+) crm:9:", steward("steward", "notices", "customer"), re.MULTILINE)[1]
    made = steward.desk.dismiss("customer", notice, actor="a steward")
    with pytest.raises(Invalid, match="no notice"):
        steward.desk.dismiss("customer", notice, actor="a steward")
    assert "would change" in steward("steward", "undo", "customer", made, "--dry-run")
    steward("steward", "undo", "customer", made)
    assert notice in steward("steward", "notices", "customer")
    steward.desk.dismiss("customer", notice, actor="another steward")
    with store.reading() as connection:
        kept = connection.execute(text("select actor, revoked_by from hub_dismissal order by at, id")).all()
    assert sorted(kept) == [("a steward", "a steward"), ("another steward", None)], "nothing was removed"


def test_another_reuse_of_an_id_is_told_although_the_first_was_dismissed(store: Any, clock: Any) -> None:
    from mdm.hub import Hub

    hub = Hub({"customer": customers()}, clock)
    for day, vat in enumerate(("V1", "V2", "V3")):
        with store.transaction("take") as connection:
            hub.take(connection, "customer", [told(1, {"name": "Acme", "vat": vat}, day=day)])
            if day == 1:
                [one] = [n for n in _noticed(connection) if n.kind == "reused"]
                from mdm.store import notices

                row = notices.Dismissal(record(7), "customer", one.kind, one.about, one.detail, "a", "", clock.now())
                notices.dismiss(connection, row)
                assert counts(connection, "customer")["reused"] == 0
                assert [n.dismissal is not None for n in _noticed(connection)] == [True]
    with store.reading() as connection:
        assert counts(connection, "customer")["reused"] == 1
        assert [n.dismissal for n in _noticed(connection)] == [None]


def test_a_crowd_and_a_hot_key_are_told_again_once_they_have_doubled() -> None:
    for kind in ("crowd", "hot_key"):
        assert holds(kind, {"records": 300}, {"records": 599})
        assert not holds(kind, {"records": 300}, {"records": 600})
    assert holds("circle", {"way": ["a", "b"]}, {"way": ["a", "b"]})
    assert not holds("circle", {"way": ["a", "b"]}, {"way": ["a", "c"]})


def test_crowds_and_hot_keys_can_be_dismissed(store: Any, clock: Any) -> None:
    from mdm.hub import Hub
    from mdm.steward._notices import noticed
    from mdm.store import notices

    hub = Hub({"customer": customers()}, clock)
    with store.transaction("take") as connection:
        crowd = [told(n, {"name": f"Acme {n}", "vat": "V1"}) for n in range(29)]
        hot = [told(n, {"name": f"{n} {n}", "phone": "+49 1"}) for n in range(100, 140)]
        hub.take(connection, "customer", [*crowd, *hot])
        found = {one.kind: one for one in noticed(connection, "customer", 6)}
        assert "hot_key" in found
        for one in found.values():
            row = notices.Dismissal(record(1), "customer", one.kind, one.about, one.detail, "a", "", clock.now())
            if one.kind == "hot_key":
                notices.dismiss(connection, row)
        left = {one.kind for one in noticed(connection, "customer", 6) if one.dismissal is None}
        assert "hot_key" not in left
        assert counts(connection, "customer").get("hot_key") == 0
        hub.take(connection, "customer", [told(n, {"name": f"{n} {n}", "phone": "+49 1"}) for n in range(140, 181)])
        assert "hot_key" in {one.kind for one in noticed(connection, "customer", 6) if one.dismissal is None}
        assert counts(connection, "customer")["hot_key"] == 1


def _noticed(connection: Any) -> Any:
    from mdm.steward._notices import noticed

    return noticed(connection, "customer", 6)
