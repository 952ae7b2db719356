"""Drift over memory systems: pauses of single routes, what waits meanwhile, and what the commands say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from desk import Desk
from memory import Memory
from workbench import balanced, engine, flow

from landbridge import drift
from landbridge.canonical import Canonical
from landbridge.connector import Entity, Field, Fields
from landbridge.errors import Denied, Unavailable
from landbridge.settings import Ownership
from landbridge.translator import Translator

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))
TEXT = {"type": "string"}
SCHEMA = Canonical(
    {
        "customer": {
            "type": "object",
            "required": ["number"],
            "properties": {"number": TEXT, "name": TEXT, "tax_id": TEXT, "group": TEXT},
        }
    }
)
MAPPINGS = {
    "crm": "entity: customer\nin:\n  number: No\n  name: Name\n  tax_id: Tax\n  group: Kind\nout:\n  No: number\n",
    "erp": "entity: customer\nin: {number: id}\nout:\n  id: number\n  label: name\n  group: group\n",
    "shop": "entity: customer\nin: {number: id}\nout:\n  id: number\n  vat: tax_id\n",
}
FIELDS = {
    "crm": {"No": "string", "Name": "string", "Tax": "string", "Kind": "string", "Unused": "string"},
    "erp": {"id": "string", "label": "string", "group": "string", "remark": "string"},
    "shop": {"id": "string", "vat": "string"},
}


class House:
    """A CRM whose customers go to an ERP, which needs the name, and to a shop, which needs the tax number."""

    def __init__(self, store: Any, clock: Any, tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
        self.store, self.clock = store, clock
        self.systems = {name: Memory(name, clock, customer=CUSTOMER) for name in MAPPINGS}
        self.fields: dict[str, Any] = {
            name: {each: Field(each, kind, length=80) for each, kind in known.items()}  # type: ignore[arg-type]  # words of it
            for name, known in FIELDS.items()
        }
        for name, system in self.systems.items():
            system.describe = partial(self.described, name)  # type: ignore[method-assign]  # what this test says
            system.close = lambda: None  # type: ignore[method-assign]  # there is nothing to close
        self.texts = dict(MAPPINGS)
        self.flow = flow("customers", "crm", "customer", "erp", "shop")
        self.made = self.open()
        self.desk = Desk(self.made, tmp_path, monkeypatch, capsys, SCHEMA)

    def described(self, name: str, entity: str) -> Fields:
        if isinstance(self.fields[name], Exception):
            raise self.fields[name]
        return Fields("Customer", self.fields[name])

    def mapping(self, system: str, entity: str) -> Any:
        return Translator(self.desk.installation.root, canonical=SCHEMA).load_text(
            self.texts[system], file=f"{system}/{entity}.yaml"
        )

    def open(self) -> Any:
        translate = Translator(SimpleNamespace(), canonical=SCHEMA)  # type: ignore[arg-type]  # no file is read
        mappings = {(name, "customer"): translate.load_text(text) for name, text in self.texts.items()}
        systems = list(self.systems.values())
        return engine(
            self.store,
            self.clock,
            systems,
            [self.flow],
            mappings,
            schema=SCHEMA,
            ownership=Ownership.model_validate({}),
        )

    def mend(self, system: str, old: str, new: str) -> None:
        assert old in self.texts[system]
        self.texts[system] = self.texts[system].replace(old, new)
        self.made = self.desk.made = self.open()
        self.desk.installation.__dict__["engine"] = self.made

    def check(self) -> drift.Report:
        settings = self.desk.installation.settings
        return drift.check(self.store, settings, self.mapping, self.systems.__getitem__, self.clock)

    def put(self, key: str, **body: Any) -> None:
        self.systems["crm"].put("customer", key, {"No": key, "Name": f"N{key}", "Tax": f"T{key}", "Kind": "A", **body})

    def stands(self, system: str) -> list[dict[str, Any]]:
        return [record.header for record in self.systems[system].effects("customer")]


@pytest.fixture
def house(store: Any, clock: Any, tmp_path: Any, monkeypatch: Any, capsys: Any) -> House:
    made = House(store, clock, tmp_path, monkeypatch, capsys)
    assert made.check().stopping == []
    return made


def test_a_source_field_pauses_the_route_it_reaches_and_the_other_goes_on(house: House) -> None:
    gone = house.fields["crm"].pop("Tax")
    found = house.check()
    assert found.paused == ["customers/shop"] and found.stopping[0].lines == ("crm/customer.yaml:5:11",)
    house.put("C1")
    house.made.run("customers")
    assert len(house.stands("erp")) == 1 and house.stands("shop") == []
    balanced(house.made)
    house.fields["crm"]["Tax"] = gone
    assert house.check().resumed == ["customers/shop"]
    house.made.run("customers")
    assert house.stands("shop") == [{"id": "C1", "vat": "TC1"}]
    assert [row.in_flight for row in balanced(house.made)] == [0, 0]


def test_a_field_without_which_no_body_is_valid_pauses_every_route(house: House) -> None:
    house.fields["crm"].pop("No")
    assert house.check().paused == ["customers/erp", "customers/shop"]


def test_what_was_received_meanwhile_is_read_by_the_mended_mapping(house: House) -> None:
    house.desk("pause", "customers/shop")
    house.put("C0")
    house.made.run("customers")  # waits, read while the field had its old name
    house.desk("resume", "customers/shop")
    fields = house.fields["crm"]
    fields["Vat_Number"] = replace(fields.pop("Tax"), name="Vat_Number", label="Tax")
    assert house.check().paused == ["customers/shop"]
    house.systems["crm"].put("customer", "C1", {"No": "C1", "Name": "N", "Vat_Number": "DE1", "Kind": "A"})
    house.made.run("customers")
    erp = house.stands("erp")
    house.mend("crm", "tax_id: Tax", "tax_id: Vat_Number")
    found = house.check()
    assert found.resumed == ["customers/shop"] and found.again == 1
    house.made.run("customers")
    assert house.stands("shop") == [{"id": "C0", "vat": "TC0"}, {"id": "C1", "vat": "DE1"}]
    assert house.stands("erp") == erp and house.systems["erp"].written() == 2  # where it was delivered, it stays
    assert [(row.delivered, row.in_flight) for row in balanced(house.made)] == [(2, 0), (2, 0)]


def test_an_entity_that_is_not_shown_any_more_pauses_what_goes_there(house: House) -> None:
    house.fields["shop"] = Denied("shop: there is no table customers.", hint="Give the right.")
    found = house.check()
    assert found.paused == ["customers/shop"] and "no table customers" in found.stopping[0].message
    house.fields["shop"] = {}
    assert "shows no field any more" in house.check().stopping[0].message
    house.fields["shop"] = Unavailable("busy")
    assert list(house.check().unreached) == ["shop"]
    with house.store.reading() as connection:
        from landbridge.store import control

        assert list(control.paused_routes(connection)) == ["customers/shop"]  # nobody knows better
    house.fields["shop"] = {name: Field(name, "string", 80) for name in FIELDS["shop"]}
    assert house.check().resumed == ["customers/shop"]


def test_a_person_resumes_a_route_and_the_next_comparison_leaves_it(house: House) -> None:
    house.fields["erp"]["label"] = Field("label", "string", length=20)
    assert house.check().paused == ["customers/erp"]
    house.put("C1")
    ran = house.desk("run", "customers")
    assert ran.code == 1 and "customers/erp is paused: erp: Customer.label took 80 signs and takes 20." in ran.err, ran
    shown = house.desk("status")
    assert "partly paused" in shown.out and "landbridge resume customers/erp" in shown.err, shown
    listed = house.desk("drift")
    assert "erp/customer.yaml:5:3" in listed.out and "customers/erp is paused" in listed.out, listed
    resumed = house.desk("resume", "customers/erp")
    assert resumed.code == 0 and resumed.out.startswith("customers/erp runs again"), resumed
    assert house.check().paused == []
    assert "customers/erp runs all the same: a person resumed it" in house.desk("drift").out
    assert house.desk("run", "customers").code == 0 and len(house.stands("erp")) == 1
    house.fields["erp"]["label"] = Field("label", "string", length=10)
    assert house.check().paused == ["customers/erp"]  # that is another change
    events = [one["event"] for one in json.loads(house.desk("drift", "--history", "--json").out)]
    assert events == ["drift", "drift_accepted", "drift"]


def test_pause_and_resume_of_one_route_by_a_person(house: House) -> None:
    assert house.desk("pause", "customers/erp", "--reason", "stock-taking").out == "customers/erp is paused.\n"
    again = house.desk("pause", "customers/erp", "--reason", "other")
    assert again.out == "customers/erp was paused already: stock-taking\n"
    house.put("C1")
    house.desk("run", "customers")
    assert house.stands("erp") == [] and len(house.stands("shop")) == 1
    status = json.loads(house.desk("status", "--json").out)
    assert status[0]["paused_routes"] == {"customers/erp": "stock-taking"} and status[0]["state"] == "partly paused"
    assert house.desk("resume", "customers").out == "customers runs again; it was paused: stock-taking\n"
    house.desk("run", "customers")
    assert len(house.stands("erp")) == 1
    unknown = house.desk("pause", "customers/epr")
    assert unknown.code == 1 and "Did you mean 'customers/erp'?" in unknown.err, unknown


def test_run_until_idle_does_not_wait_for_a_paused_route(house: House) -> None:
    house.desk("pause", "customers/erp")
    house.put("C1")
    before = house.clock.now()
    ran = house.desk("run", "customers", "--until-idle")
    assert ran.code == 1 and "customers/erp is paused" in ran.err and "still in flight" not in ran.err, ran
    assert house.clock.now() - before < timedelta(seconds=30)
