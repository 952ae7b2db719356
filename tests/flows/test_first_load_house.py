"""The first load between both real sandboxes: what the CRM and the ERP both hold is one, and is not created again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from house import House

from landbridge.store._identity import Key
from mdm.publish import EngineHub, first_load

FLOW = """\
flow: erp_customers
summary: What the ERP knows of customers counts in the golden records.
owner: sales-ops
extract: {from: erp, entity: customer, every: 1h}
resolve: {customer: match}
deliver: []
"""
BOTH, CRM_ALONE, ERP_ALONE = 60, 15, 10
TOWNS = (("Berlin", "12209"), ("Aachen", "52066"), ("Köln", "50739"), ("Leipzig", "04179"), ("Münster", "44087"))


def fill(house: House) -> None:
    """Companies on both sides, spelled as each side spells."""
    for n in range(BOTH + CRM_ALONE + ERP_ALONE):
        town, code = TOWNS[n % len(TOWNS)]
        name, phone, street = f"Betrieb {n:03d} Feinkost", f"+49 30 55{n:04d}", f"Marktstr. {n + 1}"
        if n < BOTH + CRM_ALONE:
            place = {"BillingStreet": street, "BillingCity": town, "BillingPostalCode": code}
            house.account(f"{name} GmbH", Phone=phone, **place)
        if n < BOTH or n >= BOTH + CRM_ALONE:
            house.erp.seed_partner(
                name, city=town, street=street.replace("str.", "straße"), postal_code=code, phone=phone.replace(" ", "")
            )


def test_what_both_sides_hold_is_one_and_no_customer_is_created_twice(house: House, tmp_path: Path) -> None:
    house.change_project(tmp_path)
    (tmp_path / "config/flows/erp_customers.yaml").write_text(FLOW, encoding="utf-8")
    house.restart(tmp_path)
    fill(house)
    before = house.erp.count("A_BusinessPartner")
    assert before == BOTH + ERP_ALONE
    writes = house.writes()
    hub = house.installation.hub
    assert isinstance(hub, EngineHub)
    done = first_load(house.engine, hub, "customer", progress=lambda _step, _moved: None)
    assert house.writes() == writes, "nothing is delivered by a load"
    assert [(one.system, one.records) for one in done.systems] == [("crm", BOTH + CRM_ALONE), ("erp", before)]
    assert (done.found.golden, done.found.merged) == (BOTH + CRM_ALONE + ERP_ALONE, BOTH)
    loaded = house.rows("select id, version, hash from hub_golden order by id, version")
    house.run("customers_to_erp", "erp_customers")
    assert house.troubles() == []
    assert house.erp.count("A_BusinessPartner") == before + CRM_ALONE, "only what the ERP did not have is created"
    house.converge("customers_to_erp", "erp_customers")
    assert house.erp.count("A_BusinessPartner") == before + CRM_ALONE
    known = {(row.id, row.version): row.hash for row in house.rows("select id, version, hash from hub_golden")}
    assert {(row.id, row.version): row.hash for row in loaded}.items() <= known.items()
    assert len({row.golden for row in house.rows("select golden from hub_record")}) == done.found.golden
    rows = house.accounts()
    assert rows["erp_customers"].delivered == rows["erp_customers"].received > 0
    two: Any = house.rows(
        "select a.key as crm, b.key as erp from hub_record a join hub_record b on b.golden = a.golden"
        " where a.system = 'crm' and b.system = 'erp' order by a.key limit 1"
    )[0]
    with house.store.reading() as connection:
        from landbridge.store import identity

        keys = {Key("crm", "customer", "", two.crm), Key("erp", "customer", "", two.erp)}
        assert len({who.subject for who in identity.lookup(connection, keys).values()}) == 1
