"""`landbridge mdm train` and `adopt-model`: a model is kept, previewed and adopted, and who runs takes it up."""

from __future__ import annotations

import random
import re
import shutil
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from steward_bench import address, terminal

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError
from mdm.declare import load
from mdm.in_use import check_in_use
from mdm.publish import EngineHub, train_kept
from mdm.store import models

STREETS = ("Hauptstr.", "Ringweg", "Marktplatz", "Gartenweg", "Feldstr.", "Parkallee", "Uferweg", "Bergstr.")
TOWNS = (("Bremen", "28195"), ("Kiel", "24103"), ("Ulm", "89073"), ("Trier", "54290"), ("Jena", "07743"))
WORDS = ("Adler", "Birke", "Dachs", "Eiche", "Falke", "Ginster", "Hecht", "Iltis", "Kiefer", "Luchs", "Marder", "Otter")


@pytest.fixture
def steward(root, tmp_path, store, clock, monkeypatch, capsys):
    world, landbridge = terminal(root, tmp_path, store, clock, monkeypatch, capsys)

    def run(*arguments: Any, code: int = 0) -> str:
        ran = landbridge(*arguments)
        assert ran.code == code, ran
        return ran.out if code == 0 else ran.err

    run.world, run.landbridge = world, landbridge
    return run


def fill(world: Any, count: int = 150) -> None:
    """Customers of the CRM, two thirds of them with a second spelling in the shop."""
    chance = random.Random(7)
    for n in range(100, 100 + count):
        town, code = chance.choice(TOWNS)
        name = f"{chance.choice(WORDS)} {chance.choice(WORDS)} {n} Technik"
        street = f"{chance.choice(STREETS)} {chance.randrange(1, 99)}"
        mail = [{"address": f"info@firma{n}.example"}] if n % 2 else []
        world.crm.put(
            "customer", str(n), {"name": f"{name} GmbH", "addresses": [address(street, town, code)], "emails": mail}
        )
        if n % 3:
            body = {"name": name, "addresses": [address(street if n % 4 else None, town, code)], "emails": mail}
            world.shop.put("customer", str(n), body)
    world.run()


def groups(world: Any) -> dict[Any, Any]:
    with world.store.reading() as connection:
        found = connection.execute(text("select id, golden from hub_record"))
        return {row.id: row.golden for row in found}


def test_a_model_is_trained_previewed_adopted_and_taken_up_by_who_runs(steward, root, clock):
    world = steward.world
    fill(world)
    before = groups(world)
    running = EngineHub(load(root, steward.landbridge.installation.canonical), clock)
    with world.store.reading() as connection:
        old = running.hub(connection, "customer").entities["customer"].scorer.model_id
    said = steward("mdm", "train", "customer")
    model = re.search(r"model (\w+) of \d+ records is kept", said)[1]
    assert groups(world) == before, "training groups nothing"
    tried = steward("mdm", "adopt-model", "customer", "--dry-run")
    assert f"would be grouped by model {model}" in tried
    with world.store.reading() as connection:
        assert models.of(connection, "customer") == old
    assert groups(world) == before, "a preview keeps nothing"
    done = steward("mdm", "adopt-model", "customer")
    assert f"is grouped by model {model}" in done
    with world.store.reading() as connection:
        assert models.of(connection, "customer") == model
        assert running.current(connection, "customer").entities["customer"].scorer.model_id == model
    after = groups(world)
    assert len(set(after.values())) < len(set(before.values())), "what it learned finds more than caution does"
    moved = {id_ for id_, golden in after.items() if before[id_] != golden}
    assert str(len(moved)) in done
    for key in ("101", "103"):
        assert world.record("shop", key).subject == after[world.record("shop", key).record], (
            "the cross-reference follows"
        )
    world.crm.put("customer", "999", {"name": "Neu GmbH", "addresses": [address("Ring 1", "Kiel", "24103")]})
    world.run()
    assert world.record("crm", "999").record in groups(world), "the engine that ran goes on with the new model"
    steward("mdm", "adopt-model", "customer", "--model", "untrained")
    assert {i: g for i, g in groups(world).items() if i in before} == before


def test_a_decision_outlives_a_model(steward):
    world = steward.world
    fill(world, 60)
    steward("mdm", "train", "customer")
    steward("steward", "decide", "customer", "same", "crm:2", "crm:101")
    steward("steward", "decide", "customer", "different", "crm:1", "shop:1")
    steward("mdm", "adopt-model", "customer")
    assert world.record("crm", "101").subject == world.record("crm", "2").subject
    assert world.record("shop", "1").subject != world.record("crm", "1").subject


def test_what_is_not_there_is_refused(steward):
    assert "no model of customer was trained" in steward("mdm", "adopt-model", "customer", code=1)
    assert "there is no model nonsense of customer" in steward(
        "mdm", "adopt-model", "customer", "--model", "nonsense", code=1
    )
    assert "keeps no supplier" in steward("mdm", "train", "supplier", code=1)


@pytest.mark.parametrize("part", ["normalise", "blocks", "identifiers", "comparisons", None])
def test_an_edit_of_what_is_compared_is_refused_at_run_time_and_told_by_check(
    steward, root, tmp_path, clock, database_url, monkeypatch, part
):
    world = steward.world
    fill(world, 30)
    steward("mdm", "train", "customer")
    steward("mdm", "adopt-model", "customer")
    project = tmp_path / "project"
    for folder in ("config", "mappings", "schemas"):
        shutil.copytree(root / folder, project / folder)
    file = project / "config/mdm/customer.yaml"
    edits = {
        "normalise": ('city: {from: "addresses[].city", normalise: city}', "city: addresses[].city | text"),
        "blocks": ("  - [street, city]\n", ""),
        "identifiers": ("  duns: {same: 20}", "  duns: {same: 20, apart: true}"),
        "comparisons": ("  branch: [exact]\n", ""),
        None: ("thresholds: {auto: 8, review: 2}", "thresholds: {auto: 9, review: 3}"),
    }
    old, new = edits[part]
    written = file.read_text(encoding="utf-8")
    assert old in written
    file.write_text(written.replace(old, new), encoding="utf-8")
    (project / "config/landbridge.yaml").write_text("store: {url: env:A_STORE}\n", encoding="utf-8")
    canonical = Canonical.load(root / "schemas" / "canonical")
    assert check_in_use(project, canonical, None) == ([], []), "a store that nobody can reach says nothing"
    monkeypatch.setenv("A_STORE", database_url)
    problems, warnings = check_in_use(project, canonical, None)
    assert problems == []
    hub = EngineHub(load(project, canonical), clock)
    if part is None:
        assert warnings == []
        with world.store.reading() as connection:
            hub.take(connection, "customer", [], clock.now())
        return
    [told] = [str(one) for one in warnings]
    line = file.read_text(encoding="utf-8").splitlines().index("comparisons:") + 1
    assert told.startswith(f"config/mdm/customer.yaml:{line}:1  the hub will take no customer until it is grouped anew")
    assert "landbridge mdm train customer" in told
    with world.store.reading() as connection, pytest.raises(ConfigError, match="landbridge mdm train customer"):
        hub.take(connection, "customer", [], clock.now())
    trained = train_kept(world.store, hub, "customer")
    with world.store.transaction("adopt") as connection:
        hub.adopt(connection, "customer", trained)
        assert hub.take(connection, "customer", [], clock.now()).groups == {}
    assert check_in_use(project, canonical, None) == ([], [])


def test_another_declaration_takes_nothing_until_a_model_of_it_is_adopted(steward, clock):
    world = steward.world
    before = groups(world)
    declared = world.hub.declarations["customer"]
    changed = replace(declared, comparisons=declared.comparisons[:-1])
    world.hub.declarations["customer"] = changed
    world.hub._hubs.clear()
    with world.store.reading() as connection, pytest.raises(ConfigError, match="Adopt the new model"):
        world.hub.take(connection, "customer", [], clock.now())
    steward("mdm", "adopt-model", "customer", "--model", "untrained")
    assert groups(world).keys() == before.keys()
    world.crm.put("customer", "999", {"name": "Neu GmbH", "addresses": [address("Ring 1", "Kiel", "24103")]})
    world.run()
    assert world.record("crm", "999").record in groups(world)
