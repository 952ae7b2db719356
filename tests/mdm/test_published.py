"""What is published to whom: a field that a system is not told never reaches it, and a poor record is not made."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from test_hub_alone import Pair
from test_in_the_engine import ACME, ACME_AGAIN, OTHER, World

from landbridge.canonical import Canonical
from landbridge.errors import ConfigError
from landbridge.strict import yaml
from mdm.declaration import Publication
from mdm.declare import read, schema

MAIL = {**ACME, "emails": [{"address": "buchhaltung@acme.example"}], "website": "https://acme.example"}


def publish(hub: Any, **told: Publication) -> None:
    """Change what the declaration says is published."""
    hub.declarations["customer"] = replace(hub.declarations["customer"], publish=told)


@pytest.fixture
def world(root, store, clock):
    return World(root, store, clock)


def written(system: Any) -> set[str]:
    """Every field that any write to a system ever held."""
    calls = [one for kind, writes in system.calls if kind == "write" for one in writes]
    return {name for one in calls for name in (*one.after, *one.changed, *(one.before or {}))}


@pytest.mark.parametrize("restricted", [True, False])
def test_a_field_that_is_not_published_to_a_system_never_reaches_it(world, restricted):
    if restricted:
        publish(world.hub, erp=Publication(frozenset({"name", "addresses"})), web=Publication(frozenset({"name"})))
    world.crm.put("customer", "1", MAIL)
    world.shop.put("customer", "1", {**ACME_AGAIN, "phones": [{"number": "0711/123456"}]})
    world.run()
    world.crm.put("customer", "1", {**MAIL, "emails": [{"address": "neu@acme.example"}], "name": "Acme Maschinen GmbH"})
    world.run()
    assert [one.header["name"] for one in world.erp.effects("customer")] == ["Acme Maschinen GmbH"]
    assert ("emails" in written(world.erp)) is not restricted, "the planted fault: without the rule it gets there"
    assert written(world.web) == {"name"} if restricted else "phones" in written(world.web)


def test_what_a_system_is_not_told_is_neither_an_echo_nor_a_change(world):
    publish(world.hub, erp=Publication(frozenset({"name", "addresses"})))
    world.crm.put("customer", "1", MAIL)
    world.run()
    before = world.erp.written()
    world.crm.put("customer", "1", {**MAIL, "website": "https://acme-maschinen.example"})
    world.run()
    assert world.erp.written() == before, "only what it is not told changed"
    assert [one.header["website"] for one in world.web.effects("customer")] == ["https://acme-maschinen.example"]


def test_a_poor_golden_record_is_not_created_until_it_is_good_enough_and_is_told_from_then_on(world):
    publish(world.hub, **{"*": Publication(quality=0.8), "web": Publication()})
    world.crm.put("customer", "1", {"name": "Acme Maschinenbau GmbH"})
    world.run()
    assert world.erp.effects("customer") == []
    assert len(world.web.effects("customer")) == 1, "what a system's own line says counts instead of the other"
    row = next(one for one in world.made.accounting() if one.flow == "crm_customers")
    assert (row.suppressed, row.in_flight) == (1, 0)
    world.crm.put("customer", "1", {**MAIL, "legal_name": "Acme Maschinenbau GmbH", "identifiers": [
        {"scheme": "vat", "value": "DE136695976"}]})  # fmt: skip
    world.run()
    assert len(world.erp.effects("customer")) == 1
    world.crm.put("customer", "1", {"name": "Acme Anlagenbau GmbH"})
    world.run()
    assert [one.header["name"] for one in world.erp.effects("customer")] == ["Acme Anlagenbau GmbH"]


def test_a_flow_that_leaves_the_hub_out_is_told_nothing_of_what_it_publishes(root, store, clock):
    pair = Pair(root, store, clock)
    publish(pair.made.parts.hub, erp=Publication(frozenset({"name"})))
    flows = pair.made.parts.flows
    flows["crm_customers"] = flows["crm_customers"].model_copy(update={"resolve": {"customer": "none"}})
    pair.made.register()
    pair.crm.put("customer", "1", OTHER)
    pair.run("crm_customers")
    assert "addresses" in written(pair.erp)


BASE = """\
entity: customer
columns: {name: name}
blocks: [name]
comparisons: {name: [exact]}
thresholds: {auto: 8, review: 2}
"""


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        (
            "publish: {shpo: {quality: 0.5}}",
            ":6:11",
            "system 'shpo' is not in config/systems.yaml. Did you mean 'shop'",
        ),
        ("publish: {shop: {attributes: [nane]}}", ":6:31", "'nane' is no field of customer. Did you mean 'name'?"),
        ("publish: {shop: {attributes: [addresses.city]}}", ":6:31", "is no top-level field"),
        ("publish: {shop: {attributes: []}}", ":6:30", ""),
        ('publish: {"*": {quality: 7}}', ":6:26", "less than or equal to 1"),
        ("publish: {shop: {fields: [name]}}", ":6:18", "fields is not known here"),
    ],
)
def test_a_mistake_in_publish_is_told_at_its_place(root, line, place, words):
    canonical = Canonical.load(root / "schemas" / "canonical")
    node = yaml.load(f"{BASE}{line}\n", file="config/mdm/customer.yaml")
    with pytest.raises(ConfigError) as raised:
        read(node, canonical=canonical, systems=("crm", "shop"))
    told = [str(one) for one in raised.value.problems]
    assert any(one.startswith(f"config/mdm/customer.yaml{place}  ") and words in one for one in told), told


def test_publish_is_read_as_the_page_shows_it_and_stands_in_the_schema(root):
    page = (root / "docs/hub.md").read_text(encoding="utf-8")
    [line] = re.findall(r"```yaml\n(publish:\n.*?)```", page, re.DOTALL)
    node = yaml.load(f"{BASE}{line}\n", file="config/mdm/customer.yaml")
    found = read(node, canonical=Canonical.load(root / "schemas" / "canonical"), systems=("crm", "shop"))
    assert found.published("shop").attributes == frozenset({"name", "addresses"})
    assert found.published("crm").quality == 0.5
    assert found.digest == read(yaml.load(BASE, file="x.yaml")).digest, "what is published changes no score"
    assert "publish" in schema()["properties"]
