"""Erasing a customer: nothing of what was said about it is left in any table, and everything else stands as before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from steward_bench import terminal

from landbridge.engine import erase
from landbridge.errors import Conflict
from landbridge.store import groups
from mdm.publish import untrained
from mdm.score import Frequencies
from mdm.steward import Desk, View
from mdm.store import models, reading

CANARY = {
    "name": "Kanarienvogel Spezialbau GmbH",
    "addresses": [
        {"role": "main", "street": "Zwitscherweg 77", "city": "Federstadt", "postal_code": "98765", "country": "DE"}
    ],
    "phones": [{"number": "+49 711 7654321"}],
    "emails": [{"address": "piep@kanarienvogel.example"}],
    "website": "https://kanarienvogel.example",
}
SAME = {**CANARY, "website": None, "emails": [], "name": "Kanarienvogel Spezialbau"}
TRACES = ("anarienvogel", "witscherweg", "ederstadt", "7654321", "piep@", "tirili")
OTHER = {"name": "Amsel Technik GmbH", "addresses": [{"role": "main", "street": "Astgasse 3", "city": "Ulm",
         "postal_code": "89073", "country": "DE"}], "phones": [{"number": "+49 731 1112223"}]}  # fmt: skip
OTHER_TOO = {**OTHER, "name": "Amsel Technik Gesellschaft mbH", "website": "https://amsel.example"}


def traces(store: Any, *words: str) -> list[str]:
    """Every table and column in which one of these is found, in whatever letters, in text, JSON, lists or bytes."""
    found = []
    with store.reading() as connection:
        columns = connection.execute(
            text("""
            select c.relname as name, a.attname as column, format_type(a.atttypid, null) as type
            from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
            where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped""")
        ).all()
        assert len({one.name for one in columns}) > 40, "every table is looked at"
        for one in columns:
            shown = f'"{one.column}"::text' if one.type != "bytea" else f"encode(\"{one.column}\", 'escape')"
            for word in words or TRACES:
                query = f'select count(*) from "{one.name}" where {shown} ilike :word'
                if connection.execute(text(query), {"word": f"%{word}%"}).scalar_one():
                    found.append(f"{one.name}.{one.column}: {word}")
    return found


@pytest.fixture
def steward(root: Path, tmp_path: Path, store: Any, clock: Any, monkeypatch: Any, capsys: Any) -> Any:
    from mdm.store import migrate

    migrate(store.engine)
    kept = counting(root)
    with store.transaction("model") as connection:
        models.keep(connection, models.Kept(kept.model_id, "customer", kept.dumps().decode(), None, clock.now()))
    world, landbridge = terminal(root, tmp_path, store, clock, monkeypatch, capsys)
    world.landbridge, world.desk = landbridge, Desk(landbridge.installation)
    world.crm.put("customer", "7", CANARY)
    world.shop.put("customer", "7", SAME)
    world.crm.put("customer", "8", OTHER)
    world.shop.put("customer", "8", OTHER_TOO)
    world.run()
    return world


def counting(root: Path) -> Any:
    """A model that counted how often the canary's name occurred, and another's."""
    from landbridge.canonical import Canonical
    from mdm.declare import load

    model = untrained(load(root, Canonical.load(root / "schemas" / "canonical"))["customer"])
    shares = {"kanarienvogel spezialbau": 0.002, "amsel technik": 0.002}
    return replace(model, frequencies={**model.frequencies, "name": Frequencies(0.001, shares)})


def said_much(world: Any) -> None:
    """Everything that could leave a trace: decisions with reasons, pins, labels, notices, versions, dead letters."""
    world.landbridge(
        "steward", "pin", "customer", "crm:7", "payment_terms", '"cash, says Tirili"', "--reason", "Tirili!"
    )
    world.landbridge("steward", "decide", "customer", "different", "crm:7", "crm:2", "--reason", "Tirili said so")
    world.landbridge("steward", "decide", "customer", "same", "crm:7", "shop:7", "--reason", "Kanarienvogel rang up")
    world.landbridge("steward", "label", "customer", "crm:7", "shop:7", "same")
    world.crm.put("customer", "7", {**CANARY, "website": "https://tirili.example", "phones": []})
    world.run()
    world.crm.put("customer", "7", CANARY)
    world.run()


def run_erase(world: Any, *arguments: Any, code: int = 0) -> Any:
    ran = world.landbridge("erase", *arguments)
    assert ran.code == code, ran
    return ran


def states(world: Any, *records: tuple[str, str]) -> list[reading.Stored]:
    with world.store.reading() as connection:
        homes = reading.home(connection, [world.record(*one).record for one in records])
        return list(reading.stored(connection, set(homes.values())).values())


def test_nothing_of_an_erased_customer_is_left_in_any_table(steward: Any) -> None:
    said_much(steward)
    before = traces(steward.store)
    tables = {one.partition(".")[0].removesuffix("_2026_01") for one in before}
    assert tables >= {"body", "shadow", "hub_version", "hub_record", "hub_golden", "hub_decision", "hub_model"}
    steward.crm.put("customer", "7", {}, action="delete")
    steward.shop.put("customer", "7", {}, action="delete")
    steward.run()
    shown = run_erase(steward, "crm", "customer", "7", "--all")
    assert "crm:7" in shown.out and "shop:7" in shown.out and "nothing was erased" in shown.err
    assert traces(steward.store), "without --yes nothing happens"
    said = run_erase(steward, "crm", "customer", "7", "--all", "--reason", "asked for it", "--yes")
    assert "erased: crm:7" in said.out
    assert traces(steward.store) == []
    steward.run()
    assert traces(steward.store) == [], "nothing comes back by what runs next"
    [tombstone] = states(steward, ("crm", "7"), ("shop", "7"))
    assert (tombstone.state, tombstone.values) == ("deleted", {})


def test_a_bare_trace_is_found(steward: Any) -> None:
    """The search itself: a word in a list, in bytes, in JSON."""
    with steward.store.transaction("plant") as connection:
        connection.execute(text("insert into hub_model values ('x', 'customer', '{}', 'tirili'::bytea, now())"))
    assert traces(steward.store, "tirili") == ["hub_model.frequencies: tirili"]


def test_what_others_hold_is_not_erased_and_goes_on(steward: Any, clock: Any) -> None:
    [golden] = states(steward, ("crm", "8"), ("shop", "8"))
    assert golden.values["website"] == "https://amsel.example"
    ran = run_erase(steward, "shop", "customer", "8", "--yes")
    assert "crm:8" in ran.err, "the other record of the golden record is named"
    [left] = states(steward, ("crm", "8"), ("shop", "8"))
    assert (left.id, left.state) == (golden.id, "active"), "the golden record stays what it was"
    assert "website" not in left.values
    assert left.values["name"] == "Amsel Technik GmbH"
    assert traces(steward.store, "amsel.example") == []
    steward.run()
    assert traces(steward.store, "amsel.example") == []
    assert traces(steward.store, "Astgasse"), "the CRM's own record says it still"
    steward.crm.put("customer", "8", {**OTHER, "phones": [{"number": "+49 731 999"}]})
    steward.run()
    [now] = states(steward, ("crm", "8"))
    assert now.values["phones"] == [{"number": "+49 731 999"}]
    assert "+49 731 999" in str([r.header for r in steward.erp.effects("customer")])


def test_erasing_the_founder_keeps_the_golden_id_and_the_target_record(steward: Any) -> None:
    [golden] = states(steward, ("crm", "8"), ("shop", "8"))
    delivered = sorted(r.id for r in steward.erp.effects("customer"))
    run_erase(steward, "crm", "customer", "8", "--yes")
    steward.run()
    [left] = states(steward, ("crm", "8"), ("shop", "8"))
    assert left.id == golden.id == steward.record("crm", "8").record
    assert left.values["name"] == "Amsel Technik Gesellschaft mbH"
    steward.shop.put("customer", "8", {**OTHER_TOO, "website": "https://new.example"})
    steward.run()
    assert sorted(r.id for r in steward.erp.effects("customer")) == delivered, "nothing is created a second time"


def test_a_look_back_says_erased_and_not_broken(steward: Any, clock: Any) -> None:
    then = clock.now()
    clock.advance(timedelta(days=1))
    view = View(steward.desk, "customer")
    record = steward.record("crm", "8").record
    assert view.golden(record, recorded=then).reproduced is True
    run_erase(steward, "shop", "customer", "8", "--yes")
    clock.advance(timedelta(days=1))
    steward.run()
    found = view.golden(record, recorded=then)
    assert found.reproduced is None and found.erased_at is not None
    assert view.golden(record, recorded=clock.now()).reproduced is True, "what was made since is whole"
    shown = steward.landbridge("steward", "golden", "customer", "crm:8", "--known-at", then.isoformat())
    assert "was erased" in shown.out and "IS NOT" not in shown.out
    history = steward.landbridge("steward", "golden", "customer", "crm:8").out
    assert "erased 2026-" in history


def test_an_erased_version_does_not_come_back_but_news_are_kept(steward: Any) -> None:
    run_erase(steward, "crm", "customer", "7", "--all", "--yes")
    assert traces(steward.store) == []
    steward.made.extract(steward.made.parts.flows["crm_customers"], since="0")
    steward.run()
    assert traces(steward.store) == [], "what is read once more is a repeat"
    steward.crm.put("customer", "7", {**CANARY, "name": "Kanarienvogel SE"})
    steward.run()
    assert traces(steward.store, "Kanarienvogel SE"), "what a system sends anew is kept anew"
    [golden] = states(steward, ("crm", "7"))
    assert golden.state == "active"


def test_a_redelivered_version_stays_erased(store: Any, clock: Any) -> None:
    from hub_bench import customers, record, told

    from mdm.hub import Hub

    hub = Hub({"customer": customers()}, clock)
    versions = [told(1, {"name": "tirili", "vat": "V1"}), told(2, {"name": "tirili", "vat": "V1"}, system="erp")]
    with store.transaction("take") as connection:
        hub.take(connection, "customer", versions)
        hub.erase(connection, "customer", [record(1), record(2)])
        hub.take(connection, "customer", versions)
    assert traces(store, "tirili") == []


def test_a_model_that_counted_its_values_is_followed_by_one_that_did_not(steward: Any) -> None:
    with steward.store.reading() as connection:
        old = models.of(connection, "customer")
        hub = steward.hub.current(connection, "customer")
        before = hub.entities["customer"].scorer.model_id
    edges = _edges(steward)
    run_erase(steward, "crm", "customer", "7", "--all", "--yes")
    with steward.store.reading() as connection:
        now = models.of(connection, "customer")
        kept = models.find(connection, now)
        assert models.find(connection, old) is None
        assert steward.hub.current(connection, "customer").entities["customer"].scorer.model_id == now != before
    assert "amsel technik" in kept.content and "kanarienvogel" not in kept.content
    assert _edges(steward) == {pair: bits for pair, bits in edges.items() if pair in _edges(steward)}
    steward.shop.put("customer", "8", {**OTHER_TOO, "website": "https://still.example"})
    steward.run()


def _edges(world: Any) -> dict[tuple[Any, Any], float]:
    with world.store.reading() as connection:
        return {(r.a, r.b): r.weight for r in connection.execute(text("select a, b, weight from hub_edge"))}


def test_nothing_is_erased_while_something_of_it_is_under_way(steward: Any) -> None:
    steward.crm.put("customer", "7", {**CANARY, "website": "https://tirili.example"})
    steward.made.extract(steward.made.parts.flows["crm_customers"])
    said = run_erase(steward, "crm", "customer", "7", "--yes", code=1)
    assert "1 of its messages" in said.err
    assert traces(steward.store, "Kanarienvogel")
    with pytest.raises(Conflict), steward.store.transaction("erase") as connection:
        erase(connection, steward.made.parts, "customer", [steward.record("crm", "7").record], actor="a person")
    steward.run()
    run_erase(steward, "crm", "customer", "7", "--all", "--yes")
    assert traces(steward.store) == []


def test_the_envelopes_and_the_accounting_stay(steward: Any) -> None:
    from workbench import balanced

    before = {one.flow: one.received for one in balanced(steward.made)}
    run_erase(steward, "crm", "customer", "7", "--all", "--yes")
    assert {one.flow: one.received for one in balanced(steward.made)} == {
        **before,
        "golden": before["golden"] + sum(one.flow == "golden" for one in balanced(steward.made)),
    }
    with steward.store.reading() as connection:
        events = connection.execute(text("select event, actor from history where event = 'erased'")).all()
    assert [tuple(one) for one in events] == [("erased", "a steward")] * 2


def test_a_decision_about_an_erased_record_sends_nothing_of_it(steward: Any) -> None:
    run_erase(steward, "shop", "customer", "8", "--yes")
    steward.run()
    steward.landbridge("steward", "decide", "customer", "same", "crm:2", "crm:8")
    steward.run()
    with steward.store.reading() as connection:
        wrong = connection.execute(text("select count(*) from outbox where state = 'quarantined'")).scalar_one()
    assert wrong == 0


def test_what_gave_nothing_takes_nothing_from_the_hubs_feed(steward: Any) -> None:
    steward.shop.put(
        "customer", "8", {"name": OTHER_TOO["name"], "addresses": OTHER["addresses"]}, stamp="a first word"
    )
    steward.crm.put("customer", "8", OTHER_TOO)
    steward.run()
    [golden] = states(steward, ("crm", "8"), ("shop", "8"))
    run_erase(steward, "shop", "customer", "8", "--yes")
    with steward.store.transaction("again") as connection:
        last = connection.execute(
            text("""
            select b.content ->> 'name' as name from inbox i join feed f on f.id = i.feed_id and f.system = 'hub'
            left join body b on b.owner = i.id and b.kind = 'native'
            where i.source_key = :id and not i.again order by i.id desc limit 1"""),
            {"id": str(golden.id)},
        ).one()
        assert last.name == OTHER_TOO["name"]
        groups.again(connection, [golden.id], steward.clock.now())
    steward.run()
    with steward.store.reading() as connection:
        wrong = connection.execute(text("select count(*) from outbox where state = 'quarantined'")).scalar_one()
    assert wrong == 0


def test_what_is_unknown_is_not_erased(steward: Any) -> None:
    assert "is not known here" in run_erase(steward, "crm", "customer", "nobody", "--yes", code=1).err


def test_retention_forgets_what_was_superseded_and_what_holds_can_be_made_anew(steward: Any, clock: Any) -> None:
    record, view = steward.record("crm", "8").record, View(steward.desk, "customer")
    early = clock.now()
    clock.advance(timedelta(days=10))
    steward.crm.put("customer", "8", {**OTHER, "website": "https://zweite.example"})
    steward.run()
    middle = clock.now()
    clock.advance(timedelta(days=10))
    steward.crm.put("customer", "8", {**OTHER, "website": "https://dritte.example"})
    steward.run()
    with steward.store.transaction("retention") as connection:
        steward.hub.retire(connection, "customer", early)
        kept = connection.execute(text("select count(*) from hub_version where body is not null")).scalar_one()
        assert steward.hub.retire(connection, "customer", middle) == 2, "a version, and a golden version"
        left = connection.execute(text("select count(*) from hub_version where body is not null")).scalar_one()
    assert left == kept - 1
    assert view.golden(record, recorded=early).erased_at is not None
    assert view.golden(record, recorded=middle).reproduced is True
    assert view.golden(record, recorded=clock.now()).reproduced is True
    assert view.golden(record).values


def test_the_command_asks_the_hub_only_where_a_time_is_set(steward: Any, clock: Any, monkeypatch: Any) -> None:
    from landbridge.settings import Retention

    clock.advance(timedelta(days=30))
    steward.crm.put("customer", "8", {**OTHER, "website": "https://zweite.example"})
    steward.run()
    clock.advance(timedelta(days=30))
    assert "hub" not in steward.landbridge("retention").out
    knobs = steward.landbridge.installation.settings.installation
    knobs = knobs.model_copy(update={"retention": Retention(hub=timedelta(days=20))})
    settings = replace(steward.landbridge.installation.settings, installation=knobs)
    steward.landbridge.installation.settings = settings
    ran = steward.landbridge("retention")
    assert ran.code == 0 and " hub removed by row" in ran.out, ran
