"""The canonical schemas say what they must, the check is quick, and what it refuses is explained."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from canonical_bodies import VALID, line, order, quantity, valid

from landbridge.canonical import Canonical
from landbridge.canonical._reference import reference
from landbridge.errors import ConfigError, Invalid


@pytest.fixture(scope="module")
def canonical(root: Path) -> Canonical:
    return Canonical.load(root / "schemas" / "canonical")


def schemas(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema file."""
    if isinstance(value, dict):
        yield where, value
        for word in ("properties", "$defs"):
            for name, inner in value.get(word, {}).items():
                yield from schemas(inner, f"{where}/{name}")
        yield from schemas(value.get("items"), f"{where}[]")
        for index, inner in enumerate([*value.get("oneOf", []), *value.get("anyOf", [])]):
            yield from schemas(inner, f"{where}|{index}")


def every_schema(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((root / "schemas" / "canonical").glob("*.json")):
        yield from schemas(json.loads(path.read_text(encoding="utf-8")), path.name)


def test_every_leaf_is_described_and_says_whether_it_is_personal(root: Path) -> None:
    count = 0
    for where, schema in every_schema(root):
        kinds = schema.get("type")
        leaf = kinds in ("string", "integer", "boolean", "number") or (
            isinstance(kinds, list) and "object" not in kinds
        )
        if leaf:
            count += 1
            assert isinstance(schema.get("x-personal"), bool), where
            assert schema.get("description"), where
    assert count > 120


def test_every_text_has_a_longest_length_or_a_list_of_words(root: Path) -> None:
    for where, schema in every_schema(root):
        kinds = schema.get("type", [])
        if "string" in ([kinds] if isinstance(kinds, str) else kinds):
            assert "maxLength" in schema or "enum" in schema, where


def test_no_record_takes_unknown_fields_but_extensions(root: Path) -> None:
    for where, schema in every_schema(root):
        kinds = schema.get("type", [])
        if "object" in ([kinds] if isinstance(kinds, str) else kinds):
            assert (schema["additionalProperties"] is not False) is where.endswith("/extensions"), where


def test_the_entities_of_the_first_flows_are_there(canonical: Canonical) -> None:
    assert canonical.entities == (
        "customer",
        "inventory_level",
        "price",
        "product",
        "purchase_order",
        "sales_order",
        "shipment",
        "supplier",
    )
    assert "sales_order" in canonical and "_shared" not in canonical


@pytest.mark.parametrize("entity", VALID)
def test_a_good_body_passes(canonical: Canonical, entity: str) -> None:
    canonical.check(entity, valid(entity))
    canonical.check(entity, valid(entity) | {"extensions": {"YY1_x": Decimal("1.10"), "n": {"deep": [None]}}})
    assert canonical.findings(entity, valid(entity)) == []


@pytest.mark.parametrize("entity", VALID)
def test_what_is_required_is_refused_when_missing_or_null(canonical: Canonical, entity: str) -> None:
    required = [path for path, info in canonical.fields(entity).items() if info.required and "." not in path]
    assert required
    for name in required:
        body = valid(entity)
        del body[name]
        assert [(f.path, f.rule) for f in canonical.findings(entity, body)] == [(name, "required")]
        body[name] = None
        assert [f.path for f in canonical.findings(entity, body)] == [name]


@pytest.mark.parametrize("entity", VALID)
def test_null_means_known_to_be_empty_where_nothing_is_required(canonical: Canonical, entity: str) -> None:
    for path, info in canonical.fields(entity).items():
        if "." not in path and "[]" not in path and not info.required:
            assert canonical.is_valid(entity, valid(entity) | {path: None}) is (
                info.type != "list" and not info.open
            ), path


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        here: Any = body
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in steps:
            here = here[step]
        here[last] = value

    return change


BAD: list[tuple[str, Any, str, str, str]] = [
    ("lines", [], "lines", "at least 1 is needed", "What is ordered"),
    (
        "lines.1.quantities.ordered.value",
        2.5,
        "lines[1].quantities.ordered.value",
        "must be a text, is a number (2.5)",
        "",
    ),
    (
        "lines.1.quantities.ordered.value",
        "2,5",
        "lines[1].quantities.ordered.value",
        "not written as it must",
        "decimal",
    ),
    ("lines.1.quantities.ordered.value", "-1", "lines[1].quantities.ordered.value", "not written as it must", "below"),
    (
        "lines.1.quantities.ordered.value",
        "1e3",
        "lines[1].quantities.ordered.value",
        "not written as it must",
        "decimal",
    ),
    (
        "lines.1.quantities.ordered.value",
        "01",
        "lines[1].quantities.ordered.value",
        "not written as it must",
        "decimal",
    ),
    ("lines.1.quantities.ordered.unit", "", "lines[1].quantities.ordered.unit", "", ""),
    ("lines.1.quantities.ordered", {"value": "1"}, "lines[1].quantities.ordered.unit", "is missing", "UN/ECE"),
    ("lines.0.quantities.shiped", quantity(1), "lines[0].quantities.shiped", "not a field", "'shipped'"),
    ("lines.0.product", {}, "lines[0].product.ref", "is missing", ""),
    ("lines.0.product.ref", {"id": "7"}, "lines[0].product.ref.entity", "is missing", "entity"),
    ("lines.0.product.ref", {"subject": "7"}, "lines[0].product.ref.subject", "not written", "UUID"),
    ("lines.0.product.ref", "7", "lines[0].product.ref", "must be a record, is a text", ""),
    ("lines.0.discounts", [{"kind": "percent"}], "lines[0].discounts[0].value", "is missing", ""),
    ("lines.0.discounts", [{"kind": "amount", "value": "1"}], "lines[0].discounts[0].amount", "is missing", ""),
    ("lines.0.price", {"amount": "1", "currency": "EUR"}, "lines[0].price.per", "is missing", ""),
    ("currency", "eur", "currency", "not written as it must be ('eur')", "ISO 4217"),
    ("ordered_on", "2026-02-30", "ordered_on", "not written", "without zone"),
    ("ordered_on", "2026-11-21T00:00:00Z", "ordered_on", "", ""),
    ("changed_at", "2026-11-21T10:15:00", "changed_at", "not written", "offset"),
    ("changed_at", "2026-11-21T25:15:00Z", "changed_at", "not written", "offset"),
    ("status", "shiped", "status", "none of the known words", "Did you mean 'shipped'?"),
    ("parties", [], "parties", "at least 1 is needed", ""),
    ("parties.0", {"role": "sold_to"}, "parties[0]", "has none of: ref, name, address, contact", ""),
    ("parties.1.address.contry", "DE", "parties[1].address.contry", "not a field", "'country'"),
    ("customer_po", "x" * 101, "customer_po", "101 characters, at most 100", "Shorten"),
    ("number", "", "number", "empty text", ""),
    ("my_field__c", 1, "my_field__c", "not a field", "extensions"),
    ("terms", {"payment_days": -1}, "terms.payment_days", "less than 0", ""),
    ("extensions", {"x": datetime.date(2026, 11, 21)}, "extensions.x", "is date", ""),
]


@pytest.mark.parametrize(("path", "value", "where", "message", "hint"), BAD)
def test_what_is_wrong_is_said_with_its_path_and_what_to_do(
    canonical: Canonical, path: str, value: Any, where: str, message: str, hint: str
) -> None:
    body = order()
    put(path, value)(body)
    assert not canonical.is_valid("sales_order", body)
    with pytest.raises(Invalid) as caught:
        canonical.check("sales_order", body)
    found = caught.value.findings[0]
    assert found.path == where
    assert message in found.message
    assert hint in found.hint
    assert found.hint


def test_every_finding_comes_at_once(canonical: Canonical) -> None:
    body = order()
    for path, value in (("currency", "eur"), ("lines.0.line_key", None), ("status", "x"), ("zzz", 1)):
        put(path, value)(body)
    assert [f.path for f in canonical.findings("sales_order", body)] == [
        "currency",
        "lines[0].line_key",
        "status",
        "zzz",
    ]


@pytest.mark.parametrize("body", [None, [], "x", 1, {}, Decimal(1), {"lines": {}}, {"lines": [[]]}])
def test_a_body_of_another_kind_is_a_finding_not_a_crash(canonical: Canonical, body: Any) -> None:
    assert canonical.findings("sales_order", body)


def test_a_personal_value_never_stands_in_a_finding(canonical: Canonical) -> None:
    canary = "CANARY-7391"
    for entity in canonical.entities:
        for path, info in canonical.fields(entity).items():
            if info.personal and "." not in path and not info.open:
                body = valid(entity) | {path: [canary]}
                assert canary not in "".join(map(str, canonical.findings(entity, body)))
    body = order()
    body["parties"][1]["address"] |= {"postal_code": canary * 10, "street": [canary], "country": "DE"}
    found = canonical.findings("sales_order", body)
    assert len(found) == 2
    assert canary not in str(found)


def test_an_unknown_entity_is_named_with_a_near_one(canonical: Canonical) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'sales_order'"):
        canonical.check("sales_oder", {})


def test_fields_are_listed_with_what_a_mapping_needs(canonical: Canonical) -> None:
    fields = canonical.fields("sales_order")
    value = fields["lines[].quantities.ordered.value"]
    assert (value.type, value.required, value.personal, value.max_length) == ("decimal", True, False, 33)
    assert fields["lines"].type == "list" and fields["lines"].required
    assert fields["lines[].quantities.shipped"].nullable and not fields["lines[].quantities.shipped"].required
    assert fields["ordered_on"].type == "date" and fields["changed_at"].type == "instant"
    assert fields["status"].words[0] == "draft"
    assert fields["extensions"].open and fields["extensions"].personal
    assert {"parties[].ref.system", "parties[].ref.subject", "parties[].address.street"} <= fields.keys()
    assert canonical.fields("shipment")["tracking[]"].type == "text"


def test_personal_is_known_for_fields_for_what_is_above_and_for_the_unknown(canonical: Canonical) -> None:
    assert canonical.is_personal("sales_order", "parties[1].address.street")
    assert canonical.is_personal("sales_order", "parties")
    assert canonical.is_personal("sales_order", "extensions.Birthday__c")
    assert canonical.is_personal("sales_order", "no.such.field")
    assert not canonical.is_personal("sales_order", "lines[0].quantities")
    assert not canonical.is_personal("product", "name")
    assert canonical.is_personal("customer", "name")


def test_a_masked_body_shows_business_and_hides_people(canonical: Canonical) -> None:
    body = order(extensions={"Birthday__c": "1970-01-01", "nested": [{"a": 1}]}, unknown="x")
    before = json.dumps(body)
    masked = canonical.mask("sales_order", body)
    assert json.dumps(body) == before
    assert masked["number"] == "SO-1001" and masked["lines"] == body["lines"]
    assert masked["parties"][1] == {"role": "ship_to", "name": "***", "address": {"street": "***", "country": "DE"}}
    assert masked["extensions"] == {"Birthday__c": "***", "nested": [{"a": "***"}]}
    assert masked["unknown"] == "***"
    customer = canonical.mask("customer", valid("customer"))
    assert "北京" not in json.dumps(customer, ensure_ascii=False)
    assert "91110000600037341L" not in json.dumps(customer)


def test_a_check_of_an_order_takes_well_under_30_microseconds(canonical: Canonical) -> None:
    price = {"amount": "12.50", "currency": "EUR", "per": quantity(1), "tax_included": False}
    body = order(*(line(str(i), 5, price=price, description="Widget", requested_on="2026-12-01") for i in range(3)))
    assert 1_000 < len(json.dumps(body)) < 1_700
    best = 1.0
    for _ in range(20):
        started = time.perf_counter()
        for _ in range(50):
            canonical.check("sales_order", body)
        best = min(best, (time.perf_counter() - started) / 50)
    assert best < 30e-6


def test_a_folder_that_holds_no_good_schema_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no schema"):
        Canonical.load(tmp_path)
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"type": "strin"}')
    with pytest.raises(ConfigError, match=r"a\.json"):
        Canonical.load(tmp_path)
    (tmp_path / "a.json").write_text('{"properties": {"x": {"$ref": "_shared.json#/$defs/none"}}}')
    with pytest.raises(ConfigError, match=r"'none' is not in _shared\.json"):
        Canonical.load(tmp_path)
    (tmp_path / "a.json").unlink()
    with pytest.raises(ConfigError, match=r"b\.json"):
        Canonical.load(tmp_path)


def test_the_reference_page_is_the_one_the_schemas_give(canonical: Canonical, root: Path) -> None:
    page = (root / "docs" / "canonical.md").read_text(encoding="utf-8")
    assert page == reference(canonical), "run: python -m landbridge.canonical schemas/canonical > docs/canonical.md"
