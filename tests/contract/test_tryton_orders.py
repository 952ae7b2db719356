"""Sales at a real Tryton: stages that resume and never repeat, lines that keep their identity, what stands fast."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tryton_lab import Feed, Lab, following, line_of, new, once, through

from landbridge.connector import Accepted, Delivered, LineWrite, Write
from landbridge.errors import Conflict, Rejected


@pytest.fixture
def lab(tryton: Any) -> Iterator[Lab]:
    made = Lab(tryton)
    yield made
    made.close()


def update(write: Write, made: Delivered, lines: tuple[LineWrite, ...] = (), **changed: Any) -> Write:
    """A later version of an order that was delivered."""
    return dataclasses.replace(
        write, action="update", target_id=made.target_id, expected=made.version, before=write.after, version=2,
        after={**write.after, **changed}, changed=changed, lines=lines,
    )  # fmt: skip


def delivered(outcome: Any) -> Delivered:
    assert isinstance(outcome, Delivered), outcome
    return outcome


def test_an_order_goes_through_its_stages_once(lab: Lab) -> None:
    connector, product = lab.connector(), lab.product()
    write = lab.order(lab.party(), {"a": (product, "12", "8.585"), "b": (product, "1", "3")}, reference="4500017")
    first = once(connector, write)
    assert isinstance(first, Accepted) and first.stage == "quote"
    assert [sale["state"] for sale in lab.sale(write)] == ["draft"]
    second = once(connector, following(write, first))
    assert isinstance(second, Accepted) and second.stage == "confirm"
    assert [sale["state"] for sale in lab.sale(write)] == ["quotation"]
    last = delivered(through(connector, following(write, second)))
    [sale] = lab.sale(write)
    assert sale["state"] == "processing"
    assert sale["untaxed_amount"] == Decimal("106.02")
    assert last.lines == {"a": str(sale["lines."][0]["id"]), "b": str(sale["lines."][1]["id"])}


@pytest.mark.parametrize("stage", ["quote", "confirm", "process"])
def test_a_stage_that_was_done_already_is_not_repeated(lab: Lab, stage: str) -> None:
    """The reply of a stage was lost: the engine asks for the same stage again."""
    connector, write = lab.connector(), lab.order(lab.party(), {"a": (lab.product(), "1", "10")})
    first = once(connector, write)
    assert isinstance(first, Accepted)
    delivered(through(connector, following(write, first)))
    again = dataclasses.replace(following(write, first), stage=stage)
    delivered(through(connector, again))
    assert [sale["state"] for sale in lab.sale(write)] == ["processing"]


@pytest.mark.parametrize("state", ["draft", "quotation"])
def test_an_order_that_is_found_half_made_is_carried_on(lab: Lab, state: str) -> None:
    """A crash after the create, or after the quote: nothing but what Tryton holds is left."""
    write = lab.order(lab.party(), {"a": (lab.product(), "1", "10")})
    first = once(lab.connector(), write)
    assert isinstance(first, Accepted)
    if state == "quotation":
        once(lab.connector(), following(write, first))
    found = lab.connector().find("sales_order", write.reference)
    assert found is not None and set(found.lines) == {"a"}
    lines = tuple(dataclasses.replace(line, action="update", line_id=found.lines["a"]) for line in write.lines)
    resumed = dataclasses.replace(write, action="update", target_id=found.target_id, lines=lines)
    done = delivered(through(lab.connector(), resumed))
    [sale] = lab.sale(write)
    assert sale["state"] == "processing" and len(sale["lines."]) == 1
    assert done.lines == found.lines


def test_a_refusal_at_a_stage_stands_and_a_replay_goes_on_from_there(lab: Lab) -> None:
    connector = lab.connector()
    [party] = lab.people.create("party.party", [{"name": "Without an address"}])
    write = lab.order(party, {"a": (lab.product(), "1", "10")})
    refused = through(connector, write)
    assert isinstance(refused, Rejected) and "address" in refused.message and "goes on from there" in refused.hint
    [sale] = lab.sale(write)
    address = lab.people.create("party.address", [{"party": party, "city": "Oslo"}])
    values = {"invoice_address": address[0], "shipment_address": address[0]}
    lab.people.write("sale.sale", [sale["id"]], values)
    found = connector.find("sales_order", write.reference)
    assert found is not None
    delivered(through(connector, dataclasses.replace(write, action="update", target_id=found.target_id)))
    assert [one["state"] for one in lab.sale(write)] == ["processing"]


def test_a_bad_order_keeps_none_of_its_batch_back(lab: Lab) -> None:
    connector, party, product = lab.connector(batch=7), lab.party(), lab.product()
    writes = [lab.order(party, {"a": (product, "1" if n != 3 else "1.5", "10")}) for n in range(7)]
    outcomes = connector.write("sales_order", writes)
    assert [type(one).__name__ for one in outcomes] == ["Accepted"] * 3 + ["Rejected"] + ["Accepted"] * 3
    assert [len(lab.sale(write)) for write in writes] == [1, 1, 1, 0, 1, 1, 1]
    stages = [following(w, o) for w, o in zip(writes, outcomes, strict=True) if isinstance(o, Accepted)]
    assert {o.stage for o in connector.write("sales_order", stages) if isinstance(o, Accepted)} == {"confirm"}


def test_a_quotation_is_changed_by_way_of_draft(lab: Lab) -> None:
    connector, product = lab.connector(until="quote"), lab.product()
    write = lab.order(lab.party(), {"a": (product, "100", "10"), "b": (product, "1", "3")})
    made = delivered(through(connector, write))
    lines = (
        LineWrite("insert", "c", None, None, line_of(product, "30", "1")),
        LineWrite("update", "a", made.lines["a"], line_of(product, "100", "10"), line_of(product, "50", "10")),
        LineWrite("cancel", "b", made.lines["b"], line_of(product, "1", "3"), None),
    )
    second = delivered(through(connector, update(write, made, lines, reference="new PO")))
    [sale] = lab.sale(write)
    assert (sale["state"], sale["reference"]) == ("quotation", "new PO")
    assert {line["note"]: line["quantity"] for line in sale["lines."]} == {"a": 50, "c": 30}
    assert second.lines["a"] == made.lines["a"]


def test_what_is_being_processed_stands_fast(lab: Lab) -> None:
    connector, product = lab.connector(), lab.product()
    write = lab.order(lab.party(), {"a": (product, "10", "10")})
    made = delivered(through(connector, write))
    more = (LineWrite("insert", "b", None, None, line_of(product, "5", "10")),)
    outcome = once(connector, update(write, made, more))
    assert isinstance(outcome, Conflict) and "processing" in outcome.message and outcome.hint
    outcome = once(connector, update(write, made, sale_date="2026-11-01"))
    assert isinstance(outcome, Conflict) and outcome.ours == {"sale_date": "2026-11-01"}
    assert [line["quantity"] for line in lab.sale(write)[0]["lines."]] == [10]
    delivered(once(connector, update(write, made, reference="late PO")))  # this much may change in any state
    assert lab.sale(write)[0]["reference"] == "late PO"


def test_where_amendments_may_be_made_a_change_of_lines_is_one(lab: Lab) -> None:
    group = lab.people.call("model.ir.model.data.get_id", "sale_amendment.group_sale_amendment")
    [user] = lab.people.search("res.user", [["login", "=", lab.system.user]])
    lab.people.write("res.user", [user], {"groups": [["add", [group]]]})
    connector, product = lab.connector(), lab.product()
    write = lab.order(lab.party(), {"a": (product, "10", "10"), "b": (product, "1", "1")})
    made = delivered(through(connector, write))
    old, wanted = line_of(product, "10", "10"), line_of(product, "5", "10")
    change = update(write, made, (LineWrite("update", "a", made.lines["a"], old, wanted),))
    for _ in range(2):
        second = delivered(once(connector, dataclasses.replace(change, expected=None)))
        [sale] = lab.sale(write)
        assert {line["note"]: line["quantity"] for line in sale["lines."]} == {"a": 5, "b": 1}
        assert second.lines == made.lines
    assert len(lab.people.search("sale.amendment", [["sale", "=", int(made.target_id)]])) == 1


def test_a_cancellation_before_and_after_goods_are_under_way(lab: Lab) -> None:
    connector, product = lab.connector(until="quote"), lab.product()
    write = lab.order(lab.party(), {"a": (product, "10", "10")})
    made = delivered(through(connector, write))
    gone = (LineWrite("cancel", "a", made.lines["a"], line_of(product, "10", "10"), None),)
    for _ in range(2):
        delivered(once(connector, update(write, made, gone)))
        assert lab.sale(write)[0]["state"] == "cancelled"
    processed = lab.order(lab.party(), {"a": (product, "10", "10")})
    made = delivered(through(lab.connector(), processed))
    delete = dataclasses.replace(processed, action="delete", target_id=made.target_id, policy="reject_lines", lines=())
    outcome = once(connector, delete)
    assert isinstance(outcome, Conflict) and "no longer be cancelled" in outcome.message


def test_a_line_that_the_erp_added_survives_a_later_change(lab: Lab) -> None:
    """Shipping, or anything else that people there put on the order: no key of ours, no conflict."""
    connector, product = lab.connector(until="quote"), lab.product()
    write = lab.order(lab.party(), {"a": (product, "10", "10")})
    made = delivered(through(connector, write))
    sale = int(made.target_id)
    lab.people.press("sale.sale", "draft", [sale])
    unit = lab.people.one("product.uom", [["symbol", "=", "u"]])["id"]
    shipping = lab.people.one("product.product", [["code", "=", "SHIP"]])["id"]
    row = {"sale": sale, "type": "line", "product": shipping, "quantity": 1, "unit": unit, "unit_price": Decimal("9.5")}
    lab.people.create("sale.line", [row])
    now = connector.find("sales_order", write.reference)
    assert now is not None
    lines = (LineWrite("update", "a", made.lines["a"], None, line_of(product, "12", "10")),)
    delivered(through(connector, dataclasses.replace(update(write, made, lines), expected=now.version)))
    [held] = lab.sale(write)
    assert sorted(line["quantity"] for line in held["lines."]) == [1, 12]
    assert held["untaxed_amount"] == Decimal("129.50")


def test_a_line_that_somebody_deleted_there_is_a_conflict(lab: Lab) -> None:
    connector, product = lab.connector(until="draft"), lab.product()
    write = lab.order(lab.party(), {"a": (product, "10", "10"), "b": (product, "1", "1")})
    made = delivered(through(connector, write))
    lab.people.delete("sale.line", [int(made.lines["a"])])
    lines = (LineWrite("update", "a", made.lines["a"], None, line_of(product, "12", "10")),)
    outcome = once(connector, dataclasses.replace(update(write, made, lines), expected=None))
    assert isinstance(outcome, Conflict) and "deleted there" in outcome.message


def test_a_change_made_there_meanwhile_is_not_overwritten(lab: Lab) -> None:
    connector, product = lab.connector(until="draft"), lab.product()
    write = lab.order(lab.party(), {"a": (product, "10", "10")})
    made = delivered(through(connector, write))
    lab.people.write("sale.sale", [int(made.target_id)], {"comment": "touched"})
    outcome = once(connector, update(write, made, reference="ours"))
    assert isinstance(outcome, Conflict) and outcome.status == "412"
    assert lab.sale(write)[0]["reference"] is None


def test_the_customers_own_number_is_never_searched_by(lab: Lab) -> None:
    connector, party, product = lab.connector(until="draft"), lab.party(), lab.product()
    writes = [lab.order(party, {"a": (product, "1", "1")}, reference="PO-7") for _ in range(2)]
    first, second = (delivered(through(connector, write)) for write in writes)
    assert first.target_id != second.target_id
    assert connector.find("sales_order", "PO-7") is None


def test_an_address_of_an_order_is_made_once(lab: Lab) -> None:
    connector, party, product = lab.connector(until="draft"), lab.party(), lab.product()
    ship_to = {"street": "Kai 1", "city": "Ulm", "postal_code": None, "country": {"code": "DE"}}
    for _ in range(2):
        delivered(through(connector, lab.order(party, {"a": (product, "1", "1")}, shipment_address=ship_to)))
    found = lab.people.rows("party.address", [["party", "=", party]], ["city"])
    assert sorted(one["city"] for one in found) == ["Berlin", "Ulm"]


def test_progress_and_shipments_come_back_line_by_line(lab: Lab) -> None:
    connector, product = lab.connector(), lab.product()
    orders, shipments = Feed(connector, "sales_order"), Feed(connector, "shipment")
    orders.read(), shipments.read()
    write = lab.order(lab.party(), {"a": (product, "5", "10")})
    made = delivered(through(connector, write))
    row = orders.told(made.target_id)[-1]
    assert row.body is not None and row.body["lines"][0]["@shipped"] == "0"
    [shipment] = lab.people.one("sale.sale", [["id", "=", int(made.target_id)]], ["shipments"])["shipments"]
    lab.people.press("stock.shipment.out", "assign_force", [shipment])
    for button in ("pick", "pack", "ship", "do"):
        lab.people.press("stock.shipment.out", button, [shipment])
    last = orders.told(made.target_id)[-1]
    assert last.body is not None
    assert (last.body["shipment_state"], last.body["lines"][0]["@shipped"]) == ("sent", "5")
    told = shipments.told(shipment)[-1]
    assert told.body is not None and told.body["state"] == "done"
    [move] = told.body["outgoing_moves"]
    assert move["origin"] == {"model": "sale.line", "id": made.lines["a"]}
    assert (move["quantity"], move["sale"]) == ("5", made.target_id)


def test_a_purchase_is_written_and_read(lab: Lab) -> None:
    connector, supplier = lab.connector(), lab.party("Exotic Liquids")
    unit = lab.people.one("product.uom", [["symbol", "=", "u"]])["id"]
    product = lab.product(purchasable=True, purchase_uom=unit)
    body = {"party": str(supplier), "currency": {"code": lab.system.currency}}
    lines = (LineWrite("insert", "a", None, None, line_of(product, "10", "2.5")),)
    made = delivered(through(connector, new("purchase_order", body, lines=lines)))
    [row] = connector.fetch("purchase_order", [made.target_id])
    assert row.body is not None
    assert (row.body["state"], row.body["untaxed_amount"], set(made.lines)) == ("processing", "25.00", {"a"})
