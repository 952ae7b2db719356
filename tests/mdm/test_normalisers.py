"""Every normaliser does what its examples say; values that say nothing are none, wherever they stand."""

from __future__ import annotations

import os
import random
import unicodedata

import pytest

from landbridge.errors import ConfigError
from mdm.declaration import Call, Column, Comparison, Declaration, Level, Thresholds
from mdm.normalise import NORMALISERS, features, reference, says_nothing

EXAMPLES = [(one.name, given, wanted) for one in NORMALISERS.values() for given, wanted in one.examples]


def declared(*columns: Column, **more: object) -> Declaration:
    return Declaration(
        entity="customer",
        summary="",
        scoring="fellegi_sunter",
        columns=columns,
        comparisons=(Comparison(columns[0].name, (Level("exact"),)),),
        blocks=(),
        thresholds=Thresholds(8, 2),
        **more,  # type: ignore[arg-type]  # what a test adds
    )


@pytest.mark.parametrize(("name", "given", "wanted"), EXAMPLES)
def test_an_example_of_a_normaliser_is_true(name: str, given: str, wanted: object) -> None:
    assert NORMALISERS[name].function(given) == wanted


def test_every_normaliser_promises_something_and_shows_it() -> None:
    for one in NORMALISERS.values():
        assert one.summary.endswith(".") or one.summary.endswith("`."), one.name
        assert one.examples, f"{one.name} has no example"
    assert [one["name"] for one in reference()] == sorted(NORMALISERS)


def test_no_normaliser_fails_on_any_text_and_none_gives_empty_text() -> None:
    seed = int(os.environ.get("MDM_SEED") or random.randrange(10**9))
    print("seed", seed)  # noqa: T201  # MDM_SEED replays a failure
    chance = random.Random(seed)
    signs = "abcXYZ äöüß ÉÑ 0123456789 -./()@+&,' 中国工商银行股份有限公司上海市（）『』 Ａ１ ﬁ ｶ \u200b\u00a0"
    signs += "\n\t\U0001f600 \ud7ff"
    for _ in range(400):
        text = "".join(chance.choice(signs) for _ in range(chance.randrange(0, 24)))
        for one in NORMALISERS.values():
            found = one.function(text)
            assert found is None or isinstance(found, str | float | tuple), (one.name, text)
            assert found != "" and found != (), (one.name, text)


STABLE = [
    "text",
    "fold",
    "simplify",
    "company",
    "core",
    "pinyin",
    "street",
    "postcode",
    "phone",
    "email",
    "vat",
    "gtin",
    "uscc",
]


@pytest.mark.parametrize("name", STABLE)
def test_a_normalised_value_stays_as_it_is(name: str) -> None:
    for given, wanted in NORMALISERS[name].examples:
        if isinstance(wanted, str):
            assert NORMALISERS[name].function(wanted) == wanted, given


@pytest.mark.parametrize("name", ["text", "fold", "company", "core", "street", "city"])
def test_composed_and_decomposed_signs_are_one(name: str) -> None:
    for text in ("Müller Söhne GmbH", "Société Générale S.A.", "Łódź Façade Sp. z o.o.", "ガス株式会社"):
        one, two = (NORMALISERS[name].function(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
        assert one == two


NOTHING = [
    "",
    "  ",
    "-",
    "n/a",
    "N/A",
    "无",
    "無",
    "000000000",
    "0000-0000",
    "999999999",
    "test@test.com",
    "暂无",
    "XXXX",
    "123456789",
]


@pytest.mark.parametrize("text", NOTHING)
def test_a_placeholder_says_nothing(text: str) -> None:
    assert says_nothing(text)
    declaration = declared(Column("name", ("name",), (Call("text"),)))
    assert features(declaration, {"name": text}) == {"name": None}


@pytest.mark.parametrize(
    "text", ["ABB", "3M", "2222", "11", "Test Automation Ltd", "7-Eleven", "无锡", "A1", "TCL", "ABC"]
)
def test_what_only_looks_like_a_placeholder_is_kept(text: str) -> None:
    assert not says_nothing(text)


SAME = [
    ("company", "Siemens Aktiengesellschaft", "SIEMENS AG"),
    ("company", "Beispiel Maschinenbau GmbH & Co. KG", "Beispiel-Maschinenbau GmbH u. Co KG"),
    ("company", "Acme Rocket Company Limited", "ACME Rocket Co., Ltd."),
    ("company", "Acme Rocket Pvt. Ltd.", "Acme Rocket Private Limited"),
    ("company", "Näherei Groß oHG", "Naeherei Gross OHG"),
    ("company", "Société Exemple S.A.R.L.", "SOCIETE EXEMPLE SARL"),
    ("company", "深圳市示例科技有限公司", "深圳示例科技股份有限公司"),
    ("company", "廣東示例實業有限公司", "广东省示例实业有限责任公司"),
    ("company", "中国建设银行股份有限公司上海市分行", "建行上海分行"),
    ("company", "中国农业银行股份有限公司北海分行", "农行北海市分行"),
    ("company", "示例（香港）有限公司", "示例(香港)有限公司"),
    ("company", "上海农商银行南汇支行", "上海农村商业银行股份有限公司南汇支行"),
    ("city", "北京市", "Beijing"),
    ("city", "上海", "Shanghai"),
    ("city", "Köln", "Koeln"),
    ("street", "Bahnhofstraße 5", "Bahnhofstr. 5"),
    ("street", "Berliner Str. 12 A", "Berliner Straße 12a"),
    ("street", "5 Example Road, Suite 3", "5 Example Rd Ste 3"),
    ("street", "上海市浦东新区示例路100号", "浦东新区示例路100號"),
    ("phone", "+86 (10) 6505-2288", "0086 10 65052288"),
    ("gtin", "4006381333931", "04006381333931"),
    ("date", "31.12.2020", "2020/12/31"),
    ("pinyin", "廣州", "Guangzhou"),
]


@pytest.mark.parametrize(("name", "one", "two"), SAME)
def test_two_spellings_become_one(name: str, one: str, two: str) -> None:
    found = NORMALISERS[name].function(one)
    assert found is not None
    assert found == NORMALISERS[name].function(two)


DIFFERENT = [
    ("company", "中国银行", "工商银行"),
    ("company", "示例超市有限公司", "示例超有限公司"),
    ("company", "AG Bau", "Bau"),
    ("company", "工商银行上海分行", "工商银行北京分行"),
    ("gtin", "14006381333938", "4006381333931"),
    ("phone", "+49301234567", "+49301234568"),
]


@pytest.mark.parametrize(("name", "one", "two"), DIFFERENT)
def test_two_things_stay_two(name: str, one: str, two: str) -> None:
    assert NORMALISERS[name].function(one) != NORMALISERS[name].function(two)


def test_columns_are_read_from_a_canonical_body() -> None:
    declaration = declared(
        Column("name", ("legal_name", "name"), (Call("company"),)),
        Column("uscc", ("identifiers[].value",), (Call("uscc"),), {"scheme": ("uscc", "tax_id")}),
        Column("phones", ("phones[].number",), (Call("phone", ("addresses.country",)),), many=True),
        Column("city", ("addresses[].city",), (Call("city"),), {"role": ("main",)}),
        Column("words", ("name",), (Call("tokens"),)),
        Column("limit", ("credit_limit.amount",), (Call("number"),)),
    )
    body = {
        "name": "Acme Rocket GmbH",
        "legal_name": None,
        "identifiers": [
            {"scheme": "duns", "value": "91110000600037341L"},
            {"scheme": "uscc", "value": "91110000600037340L"},
            {"scheme": "tax_id", "value": "91110000600037341L"},
        ],
        "phones": [{"number": "030 901820"}, {"number": "+49 30 901821"}, {"number": "030/901820"}, {"number": "n/a"}],
        "addresses": [{"role": "billing", "city": "Bonn", "country": "DE"}, {"role": "main", "city": "Köln"}],
        "credit_limit": {"amount": "12.50", "currency": "EUR"},
    }
    assert features(declaration, body) == {
        "name": "acme rocket",
        "uscc": "91110000600037341L",
        "phones": ("+4930901820", "+4930901821"),
        "city": "koeln",
        "words": ("acme", "gmbh", "rocket"),
        "limit": 12.5,
    }
    assert features(declaration, {}) == dict.fromkeys(("name", "uscc", "phones", "city", "words", "limit"))


def test_columns_are_read_from_a_row_of_a_table() -> None:
    declaration = declared(
        Column("name", ("Company Name.1",), (Call("company"),)), Column("phone", ("tel",), (Call("phone", ("land",)),))
    )
    row = {"Company Name.1": "Acme Ltd", "tel": "030 901820", "land": "Germany"}
    assert features(declaration, row) == {"name": "acme", "phone": "+4930901820"}


def test_a_value_that_the_declaration_calls_a_placeholder_is_none() -> None:
    declaration = declared(Column("name", ("name",), (Call("company"),)), placeholders=frozenset({"walk in customer"}))
    assert features(declaration, {"name": "Walk-in Customer"}) == {"name": None}


def test_unknown_normalisers_and_too_many_arguments_are_named_at_once() -> None:
    declaration = declared(
        Column("name", ("name",), (Call("compny"),)), Column("city", ("city",), (Call("city", ("DE", "x")),))
    )
    with pytest.raises(ConfigError) as caught:
        features(declaration, {})
    assert len(caught.value.problems) == 2
    assert "company" in str(caught.value) and "columns.city" in str(caught.value)
