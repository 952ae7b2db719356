"""What real systems did that a simulator would not think of, one test each, at a real Tryton or a stub that does it.

Webhooks: identical ones are dropped by the inbox (tests of the receiver), Tryton itself sends none; unsigned ones and a
sender's own guard against loopback belong to the next issue.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from bench_tryton import forward
from starlette.responses import Response
from tryton_lab import Feed, Lab, Stub, new, once, rows_of, stubbed, through, usual

from connectors.tryton._wire import inward, number_text, outward
from landbridge.connector import Delivered
from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from sandbox._base import Clock, Faults, serve, with_sandbox


@pytest.fixture
def lab(tryton: Any) -> Iterator[Lab]:
    made = Lab(tryton)
    yield made
    made.close()


def delivered(outcome: Any) -> Delivered:
    assert isinstance(outcome, Delivered), outcome
    return outcome


# -- an error reply although the change was committed ------------------------------------------------------------------


@pytest.mark.parametrize("committed", [True, False])
def test_an_error_reply_after_the_commit_is_looked_up_at_once(lab: Lab, committed: bool) -> None:
    faults = Faults()
    app = with_sandbox(forward(int(lab.system.url.rpartition(":")[2])), faults=faults, clock=Clock())
    with serve(_erring(app, after=committed)) as proxy:
        connector = lab.connector(url=proxy.url)
        write = new("customer", {"name": "Error after all"})
        outcome = once(connector, write)
        ours = lab.people.rows("party.party", [["identifiers.code", "=", write.reference]])
        if committed:
            assert delivered(outcome).target_id == str(ours[0]["id"]) and len(ours) == 1
        else:
            assert isinstance(outcome, Rejected) and "cannot be serialised" in outcome.message and ours == []


def _erring(app: Any, *, after: bool) -> Any:
    """Every create answers with an error of no known class, before or after its commit."""

    async def erring(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()

        async def again() -> Any:
            return message

        async def nowhere(_: Any) -> None:
            return None

        if b'"model.party.party.create"' not in message.get("body", b""):
            await app(scope, again, send)
            return
        if after:
            await app(scope, again, nowhere)
        body = b'{"id":1,"error":["the value cannot be serialised",""]}'
        await Response(body, media_type="application/json")(scope, again, send)

    return erring


# -- changes that move nothing -----------------------------------------------------------------------------------------


def test_stock_changes_though_the_product_does_not(lab: Lab) -> None:
    connector, product = lab.connector(), lab.product()
    before = {row.key: row.body for row in rows_of(list(connector.read("inventory_level", None))) if row.body}
    stamp = lab.people.one("product.product", [["id", "=", product]], ["write_date"])["write_date"]
    storage = lab.people.one("stock.location", [["type", "=", "warehouse"]], ["storage_location"])["storage_location"]
    [inventory] = lab.people.create(
        "stock.inventory",
        [{"location": storage, "lines": [["create", [{"product": product, "quantity": 39}]]]}],
    )
    lab.people.press("stock.inventory", "confirm", [inventory])
    assert lab.people.one("product.product", [["id", "=", product]], ["write_date"])["write_date"] == stamp
    pages = list(connector.read("inventory_level", None))
    assert [page.complete for page in pages][-1]
    after = {row.key: row.body for row in rows_of(pages) if row.body}
    [key] = [key for key in after if key.startswith(f"{product}|")]
    assert (before[key]["quantity"], after[key]["quantity"], after[key]["available"]) == ("0", "39", "39")


@pytest.mark.parametrize("what", ["address", "contact", "identifier", "itself"])
def test_a_change_below_a_party_is_a_change_of_it(lab: Lab, what: str) -> None:
    party, feed = lab.party(), Feed(lab.connector(), "customer")
    feed.read()
    feed.read()  # the overlap once more
    model, values = {
        "address": ("party.address", {"city": "Bergen"}),
        "contact": ("party.contact_mechanism", {"party": party, "type": "phone", "value": "030"}),
        "identifier": ("party.identifier", {"party": party, "code": "DE1"}),
        "itself": ("party.party", {"name": "Renamed"}),
    }[what]
    if what == "address":
        lab.people.write(model, lab.people.search(model, [["party", "=", party]]), values)
    elif what == "itself":
        lab.people.write(model, [party], values)
    else:
        lab.people.create(model, [values])
    told = feed.told(party)
    assert told and told[-1].body is not None
    assert values.get("city", values.get("value", values.get("code", values.get("name")))) in str(told[-1].body)


def test_a_price_of_the_template_is_a_change_of_the_products_price(lab: Lab) -> None:
    product, feed = lab.product("18"), Feed(lab.connector(), "price")
    feed.read()
    template = lab.people.one("product.product", [["id", "=", product]], ["template"])["template"]
    lab.people.write("product.template", [template], {"list_price": Decimal("19.5")})
    told = feed.told(product)[-1]
    assert told.body is not None and told.body["list_price"] == "19.5"


def test_a_product_without_a_price_is_no_price(lab: Lab) -> None:
    [row] = lab.connector().fetch("price", [str(lab.product(list_price=None))])
    assert (row.action, row.body) == ("delete", None)


# -- deletions ---------------------------------------------------------------------------------------------------------


def test_deletions_are_told_though_nothing_names_them(lab: Lab) -> None:
    parties, feed = [lab.party(f"Gone {n}") for n in range(4)], Feed(lab.connector(), "customer")
    feed.read()
    lab.people.delete("party.party", [parties[1]])
    lab.people.delete("party.party", [parties[3]])  # the newest: its id is above all that are left
    gone = [(row.key, row.body) for row in feed.read() if row.action == "delete"]
    assert gone == [(str(parties[1]), None), (str(parties[3]), None)]
    assert [row for row in feed.read() if row.action == "delete"] == []
    rows = lab.connector().fetch("customer", [str(one) for one in parties])
    assert {row.key: row.action for row in rows} == {
        str(parties[0]): "upsert", str(parties[1]): "delete", str(parties[2]): "upsert", str(parties[3]): "delete",
    }  # fmt: skip


# -- time stamps -------------------------------------------------------------------------------------------------------


def test_a_record_that_was_only_created_is_told(lab: Lab) -> None:
    feed = Feed(lab.connector(), "customer")
    feed.read()
    [party] = lab.people.create("party.party", [{"name": "Only created"}])
    with closing(sqlite3.connect(lab.system.folder / "erp.sqlite", timeout=20)) as line, line:
        line.execute("UPDATE party_party SET write_date = NULL WHERE id = ?", (party,))
    told = feed.told(party)[-1]
    assert told.body is not None and told.body["write_date"] is None and told.stamp == told.body["create_date"]


def test_records_of_one_transaction_have_one_stamp_and_none_is_skipped(lab: Lab) -> None:
    feed = Feed(lab.connector(page=3), "customer")
    feed.read()
    made = lab.people.create("party.party", [{"name": f"Same instant {n}"} for n in range(8)])
    told = {row.key: row.stamp for row in feed.read()}
    assert {str(one) for one in made} <= set(told)
    assert len({told[str(one)] for one in made}) == 1


# -- errors inside of HTTP 200 -----------------------------------------------------------------------------------------

ERRORS = {
    "UserError": (["UserError", ["No.", "", None]], Rejected),
    "UserWarning": (["UserWarning", ["w1", "Are you sure?", "It is late."]], Rejected),
    "ConcurrencyException": (["ConcurrencyException", "Records were modified"], Conflict),
    "no right": (["UserError", ['You are not allowed to access "Party".', "", None]], Denied),
    "busy": (["database is locked", ""], Unavailable),
    "anything": (["'nam'", "Traceback"], Rejected),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_inside_of_200_become_the_right_outcome(case: str) -> None:
    error, expected = ERRORS[case]

    def answer(method: str, params: Any) -> Any:
        return {"error": error} if method.endswith(".create") else usual(method, params)

    with Stub(answer) as stub, closing(stubbed(stub.url)) as connector:
        outcome = once(connector, new("customer", {"name": "X"}))
    assert isinstance(outcome, expected) and outcome.hint, outcome
    assert isinstance(outcome, Failure) and "s3cr3t" not in str(outcome)


def test_a_question_is_answered_where_the_system_says_so() -> None:
    answered: list[Any] = []

    def answer(method: str, params: Any) -> Any:
        if method == "model.res.user.warning.create":
            answered.extend(params[0])
            return [1]
        if method == "model.party.party.create":
            return [7] if answered else {"error": ["UserWarning", ["party,7.similar", "There is one already.", ""]]}
        return usual(method, params)

    with Stub(answer) as stub:
        with closing(stubbed(stub.url)) as connector:
            refused = once(connector, new("customer", {"name": "X"}))
        assert isinstance(refused, Rejected) and "There is one already" in refused.message
        with closing(stubbed(stub.url, warnings="confirm")) as connector:
            delivered(once(connector, new("customer", {"name": "X"})))
    assert answered == [{"user": 2, "name": "party,7.similar", "always": False}]


@pytest.mark.parametrize(
    ("status", "expected", "word"),
    [(403, Denied, "model.party.party.create"), (429, Unavailable, "429"), (500, OutcomeUnknown, "500")],
)
def test_a_status_becomes_the_right_outcome(status: int, expected: type[Failure], word: str) -> None:
    def answer(method: str, params: Any) -> Any:
        return Response("no", status) if method.endswith("party.create") else usual(method, params)

    with Stub(answer) as stub, closing(stubbed(stub.url)) as connector:
        outcome = once(connector, new("customer", {"name": "X"}))
    assert isinstance(outcome, expected) and word in outcome.message


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response("too many", 429, {"Retry-After": "7"}), Unavailable),
        (Response("", 401), Denied),
        ({"error": ["LoginException", ["otp", "One-time code", "char"]]}, Denied),
        ({"result": None}, Denied),
    ],
    ids=["too many attempts", "wrong password", "second factor", "not let in"],
)
def test_a_login_that_fails_touched_nothing(answer: Any, expected: type[Failure]) -> None:
    def says(method: str, params: Any) -> Any:
        return answer if method == "common.db.login" else usual(method, params)

    with Stub(says) as stub, closing(stubbed(stub.url)) as connector:
        outcome = once(connector, new("customer", {"name": "X"}))
    assert isinstance(outcome, expected) and not outcome.sent and outcome.hint


# -- another list, another version, another way ------------------------------------------------------------------------


def test_a_version_that_answers_at_another_path_is_found() -> None:
    """Up to 7.0: `/database/`, a login of two values, no `last_modified_at`."""

    def answer(method: str, params: Any) -> Any:
        return [2, "key"] if method == "common.db.login" else usual(method, params)

    with Stub(answer, paths=("/erp/",)) as stub, closing(stubbed(stub.url)) as connector:
        list(connector.read("customer", None))
        streams = [params for path, params in stub.calls if params.endswith("search_read")]
    assert stub.calls[0] == ("/erp/rpc/", "common.db.login") and stub.calls[1] == ("/erp/", "common.db.login")
    assert len(streams) >= 2, "what was only created and what was written are two streams"


@pytest.mark.parametrize("result", ["wizard", None])
def test_a_confirmation_that_opens_a_wizard_is_no_confirmation(lab: Lab, result: Any) -> None:
    """The button answers, and the document stays what it is."""
    faults = Faults()
    app = with_sandbox(forward(int(lab.system.url.rpartition(":")[2])), faults=faults, clock=Clock())
    with serve(app) as proxy:
        connector = lab.connector(url=proxy.url)
        write = lab.order(lab.party(), {"a": (lab.product(), "1", "10")})
        reply = {"id": 1, "result": result}
        faults.add({"body_regex": r'"model\.sale\.sale\.confirm"', "times": None}, "reply", status=200, body=reply)
        outcome = through(connector, write)
        assert isinstance(outcome, Rejected) and "quotation" in outcome.message and "wizard" in outcome.hint
        faults.clear()
        found = connector.find("sales_order", write.reference)
        assert found is not None
        resumed = dataclasses.replace(write, action="update", target_id=found.target_id)
        delivered(through(connector, resumed))
        assert [sale["state"] for sale in lab.sale(write)] == ["processing"]


def test_the_password_is_sent_once_for_many_calls(lab: Lab) -> None:
    faults = Faults()
    app = with_sandbox(forward(int(lab.system.url.rpartition(":")[2])), faults=faults, clock=Clock())
    seen = faults.add({"body_regex": "common.db.login", "times": None}, "stale_token")
    password = faults.add({"body_regex": lab.system.password, "times": None}, "stale_token")
    with serve(app) as proxy:
        connector = lab.connector(url=proxy.url)
        for _ in range(5):
            connector.find("customer", "nobody")
    assert (seen.hits, password.seen, password.hits + seen.hits) == (1, 6 + password.seen - 6, 1)


def test_units_and_prices_are_sent_because_no_form_fills_them(lab: Lab) -> None:
    connector, product = lab.connector(), lab.product()
    for missing in ("unit", "unit_price"):
        write = lab.order(lab.party(), {"a": (product, "1", "10")})
        [line] = write.lines
        after = {name: value for name, value in (line.after or {}).items() if name != missing}
        outcome = once(connector, dataclasses.replace(write, lines=(dataclasses.replace(line, after=after),)))
        assert isinstance(outcome, Rejected) and lab.sale(write) == []


def test_a_unit_that_is_not_there_is_told_before_anything_is_sent(lab: Lab) -> None:
    write = lab.order(lab.party(), {"a": (lab.product(), "1", "10")})
    [line] = write.lines
    after = {**(line.after or {}), "unit": {"symbol": "furlong"}}
    outcome = once(lab.connector(), dataclasses.replace(write, lines=(dataclasses.replace(line, after=after),)))
    assert isinstance(outcome, Rejected) and "furlong" in outcome.message and not outcome.sent


# -- exact values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0.1", "8.585", "12345678901234.5678", "-0.0001", "100"])
def test_decimals_are_exact_both_ways(text: str) -> None:
    wire = outward(text, "numeric", "price")
    assert wire == {"__class__": "Decimal", "decimal": text}
    assert inward({"price": wire})["price"] == text


def test_numbers_of_quantities_are_their_digits() -> None:
    assert [number_text(each) for each in (2.0, 0.5, 1e-07, 100)] == ["2", "0.5", "0.0000001", "100"]
    with pytest.raises(Rejected, match="numeric"):
        outward("twelve", "numeric", "price")


def test_a_copy_of_our_record_is_for_a_person(lab: Lab) -> None:
    connector, write = lab.connector(), new("customer", {"name": "Original"})
    made = delivered(once(connector, write))
    lab.people.call("model.party.party.copy", [int(made.target_id)], {})
    with pytest.raises(Conflict, match="carry our reference"):
        connector.find("customer", write.reference)


def test_adopt_finds_parties_by_their_tax_number(lab: Lab) -> None:
    party = lab.party(identifiers=[["create", [{"code": "DE811569869"}]]])
    found = lab.connector().matches("customer", ["DE811569869", "DE0"], field="tax_id")
    assert found == {"DE811569869": [str(party)], "DE0": []}


def test_a_customer_is_changed_part_by_part(lab: Lab) -> None:
    connector = lab.connector()
    body = {
        "name": "Alfreds",
        "addresses": [{"street": "Obere Str. 57", "city": "Berlin", "country": {"code": "DE"}}],
        "contact_mechanisms": [{"type": "phone", "value": "030"}, {"type": "fax", "value": "031"}],
        "identifiers": [{"type": None, "code": "DE1"}],
    }
    write = new("customer", body)
    made = delivered(once(connector, write))
    lab.people.create(
        "party.contact_mechanism", [{"party": int(made.target_id), "type": "email", "value": "a@b.example"}]
    )
    after = {**body, "name": "Alfreds KG", "contact_mechanisms": [{"type": "phone", "value": "032"}]}
    change = dataclasses.replace(
        write, action="update", target_id=made.target_id, expected=None, before=body, after=after, changed=after
    )
    for _ in range(2):
        now = delivered(once(connector, change))
        assert now.returned is not None
        contacts = sorted((each["type"], each["value"]) for each in now.returned["contact_mechanisms"])
        assert contacts == [("email", "a@b.example"), ("phone", "032")], "the fax went, what others added stays"
        assert [each["code"] for each in now.returned["identifiers"]] == ["DE1"]
        assert len(now.returned["addresses"]) == 1
    found = connector.find("customer", write.reference)
    assert found is not None and found.target_id == made.target_id
