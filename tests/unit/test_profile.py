"""A profile says what stands in live records, in constant memory; a draft maps what the names tell."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from landbridge import strict
from landbridge.canonical import Canonical
from landbridge.connector import Field, Fields
from landbridge.profile import draft, profiled
from landbridge.profile._columns import DISTINCT
from landbridge.profile._kinds import kind_of, shape_of
from landbridge.translator import Context, Tables, Translator

CUSTOMERS = [
    {"Name": "Acme", "Code__c": "C-1", "Zip Code": "01067", "City": "Dresden", "Kind": "A", "Rank": 1,
     "Write Date": "2026-11-21T10:00:00Z", "Since": "2020-01-01", "Items": [{"Price": "1.50"}, {"Price": None}]},
    {"Name": "Globex", "Code__c": "C-22", "Zip Code": "", "City": "Köln", "Kind": "A", "Rank": 2.5,
     "Write Date": "2026-11-22T10:00:00Z", "Since": None, "Items": []},
]  # fmt: skip
DECLARED = Fields("Account", {"Name": Field("Name", "string", 80, required=True), "Never": Field("Never", "string", 9)})


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"), ("", "empty"), ("  ", "empty"), (True, "boolean"), (7, "integer"), (Decimal("1.5"), "decimal"),
        ("12.50", "decimal"), ("7", "integer"), ("01067", "text"), ("0", "integer"), ("0.5", "decimal"),
        ("2026-11-22", "date"), ("2026-11-22T10:00:00Z", "instant"), ("2026-11-22 10:00:00.5 +0800", "instant"),
        ("/Date(1795219200000)/", "instant"), ("Acme", "text"), ("٣", "text"), ([], "list"), ({}, "record"),
    ],
)  # fmt: skip
def test_the_kind_of_a_value(value: object, kind: str) -> None:
    assert kind_of(value) == kind


def test_a_shape_hides_the_content() -> None:
    assert shape_of("Müller-42 北京") == "aaaaaa-99 aa"


def test_fill_rate_lengths_spans_and_codes() -> None:
    found = profiled("crm", "customer", CUSTOMERS * 2, DECLARED)
    columns = found.columns
    assert found.records == 4
    assert (columns["Name"].kind, columns["Name"].shortest, columns["Name"].longest) == ("text", 4, 6)
    assert columns["Since"].rate == 0.5
    assert columns["Zip Code"].rate == 0.5
    assert columns["Items[].Price"].holders == 4, "elements hold a price, not records"
    assert columns["Items[].Price"].rate == 0.5
    assert (columns["Rank"].kind, columns["Rank"].least, columns["Rank"].most) == ("decimal", 1, Decimal("2.5"))
    assert columns["Kind"].codes
    assert columns["Never"].rate == 0, "a field that the product declares and nobody fills is told"


def test_a_million_different_values_are_counted_in_constant_memory() -> None:
    def bodies(count: int):
        return ({"Id": f"{n:08d}x", "Note": f"note {n}"} for n in range(count))

    peaks = []
    for count in (2 * DISTINCT, 40 * DISTINCT):
        tracemalloc.start()
        found = profiled("crm", "customer", bodies(count), Fields("Account"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.columns["Id"].many
        assert not found.columns["Id"].codes
        assert found.columns["Id"].filled == count
    assert peaks[1] < 1.2 * peaks[0] + 20_000, peaks


def test_the_draft_maps_what_the_names_tell_and_keeps_the_rest_as_comments(root: Path, tmp_path: Path) -> None:
    canonical = Canonical.load(root / "schemas" / "canonical")
    text = draft(profiled("crm", "customer", CUSTOMERS, DECLARED), canonical.fields("customer"))
    path = tmp_path / "mappings" / "acme" / "customer.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    mapping = Translator(tmp_path / "mappings", Tables(tmp_path), canonical).load_file(path)
    body = mapping.read(CUSTOMERS[0], Context(system="crm", now=datetime(2026, 11, 22, tzinfo=UTC)))
    assert body == {
        "number": "C-1",
        "name": "Acme",
        "changed_at": "2026-11-21T10:00:00Z",
        "addresses": [{"role": "main", "city": "Dresden", "postal_code": "01067"}],
    }
    canonical.check("customer", body)
    parsed = strict.plain(strict.yaml.load(text, file="draft.yaml"))
    assert parsed["out"] == {"Name": "name"}, "only what the product says it takes is written"
    assert "#   Since: date, 50% filled, 2020-01-01 to 2020-01-01" in text
    assert "Items[].Price" in text


def test_the_draft_names_what_is_required_and_not_there(root: Path) -> None:
    canonical = Canonical.load(root / "schemas" / "canonical")
    text = draft(profiled("depot", "product", [{"number": "P1", "changed": "2026-11-21"}], Fields("part")),
                 canonical.fields("product"))  # fmt: skip
    assert "# base_unit: required, and no field looks like it." in text
    assert "\n  number: number\n" in text


def test_a_draft_is_one_file_whatever_the_names_hold_and_shows_no_account(root: Path) -> None:
    body = {"Name": "Acme", "a\nin: x": "1", "it's": "b", 'City"': "Kiel", "Card": 4111111111111111, "Rank": 7}
    text = draft(
        profiled("crm", "customer", [body], Fields("Account", {})),
        Canonical.load(root / "schemas/canonical").fields("customer"),
    )
    assert strict.yaml.load(text, file="draft.yaml")["in"].keys() == ("name",)
    assert "4111" not in text
    assert "#   Rank: integer, 100% filled, 7 to 7" in text
