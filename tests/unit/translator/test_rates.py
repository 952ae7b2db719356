"""Rates are dated, come from config/rates, and are never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from landbridge.errors import ConfigError, Invalid
from landbridge.strict import yaml
from landbridge.translator import Context, Tables, Translator
from landbridge.translator._rates import read_rates

ROOT = Path(__file__).parents[3]
GROUP = """
rates: group
rows:
  - {from: EUR, to: USD, since: 2026-02-01, rate: "1.20"}
  - {from: EUR, to: USD, since: 2026-01-01, rate: "1.10"}
"""
MAPPING = """
entity: thing
native: Thing
out:
  USD: total | convert(USD, at=$day)
"""


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    (tmp_path / "config" / "rates").mkdir(parents=True)
    (tmp_path / "config" / "rates" / "group.yaml").write_text(GROUP, encoding="utf-8")
    return Tables(tmp_path / "config", under=tmp_path)


@pytest.mark.parametrize(
    ("day", "currency", "dollars"),
    [
        ("2026-01-01", "EUR", "110"),
        ("2026-01-31", "EUR", "110"),
        ("2026-02-01", "EUR", "120"),
        ("2026-02-01", "USD", "100"),
    ],
)
def test_the_last_rate_on_or_before_the_day_counts(tables: Tables, day: str, currency: str, dollars: str):
    mapping = Translator(Path("mappings"), tables, None).load_text(MAPPING, file="mappings/shop/thing.yaml")
    body = {"total": {"amount": "100", "currency": currency}, "day": day}
    assert mapping.write(body, Context(), creating=True) == {"USD": {"amount": dollars, "currency": "USD"}}


@pytest.mark.parametrize("body", [("2025-12-31", "EUR"), ("2026-02-01", "SEK")])
def test_no_rate_is_no_guess(tables: Tables, body: tuple[str, str]):
    mapping = Translator(Path("mappings"), tables, None).load_text(MAPPING, file="mappings/shop/thing.yaml")
    day, currency = body
    with pytest.raises(Invalid, match=f"there is no rate from {currency} to USD on {day}") as raised:
        mapping.write(
            {"total": {"amount": "100", "currency": currency}, "day": day},
            Context(now=datetime(2026, 3, 1, tzinfo=UTC)),
            creating=True,
        )
    assert "rate table" in raised.value.hint


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{from: EUR, to: USD, since: 2026-01-01, rate: none}", "a rate above zero"),
        ("{from: EUR, to: USD, since: 2026-01-01, rate: 0}", "a rate above zero"),
        ("{from: euro, to: USD, since: 2026-01-01, rate: 1}", "a currency such as EUR"),
        ("{from: EUR, to: USD, since: yesterday, rate: 1}", "a date such as"),
        ("{from: EUR, to: USD, since: 2026-03-01, rate: 1, by: me}", "by is not known here"),
        ("{from: EUR, to: USD, since: 2026-02-01, rate: 1}\n  - {from: EUR, to: USD, since: 2026-02-01, rate: 2}",
         "has a rate from 2026-02-01 already"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_told_at_its_place(row: str, says: str):
    text = f"rates: group\nrows:\n  - {row}\n"
    with pytest.raises(ConfigError, match=says) as raised:
        read_rates([yaml.load(text, file="config/rates/group.yaml")])
    assert raised.value.problems[0].file == "config/rates/group.yaml"
    assert raised.value.problems[0].line in (3, 4)


def test_the_example_of_the_page_is_read():
    page = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```yaml rates\n(.*?)```", page, re.DOTALL)
    rates = read_rates([yaml.load(text, file="docs/mappings.md")])
    assert [str(rate) for _, rate in rates["EUR", "USD"]] == ["1.0852", "1.0911"]
