"""What the translator's tests share: the canonical model, a small context, a way to write a mapping down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from landbridge.canonical import Canonical
from landbridge.strict import yaml
from landbridge.translator import Context, Mapping, Tables, Translator
from landbridge.translator._tables import read_codes, read_decisions

ROOT = Path(__file__).parents[3]
Make = Callable[..., Mapping]


@pytest.fixture(scope="session")
def canonical() -> Canonical:
    return Canonical.load(ROOT / "schemas" / "canonical")


@pytest.fixture
def context() -> Context:
    return Context(
        system="crm",
        scope="",
        now=datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
        target_id=lambda entity, subject: f"{entity}-{subject}",
        line_id={"a": "10"}.get,
    )


@pytest.fixture
def tables() -> Tables:
    status = """
        codes: shop/order_status
        rows:
          - {native: Draft, canonical: draft}
          - {native: Activated, canonical: confirmed, preferred: true}
          - {native: Approved, canonical: confirmed}
    """
    area = """
        determine: sales_areas
        inputs: [seller, channel]
        outputs: [SalesOrganization]
        rows:
          - {when: {seller: CN01, channel: [direct, web]}, then: {SalesOrganization: "1310"}}
          - {when: {seller: DE01}, then: {SalesOrganization: "1010"}}
    """
    unit = "{codes: shop/unit, map: {Each: C62, Box: BX, Kilogram: KGM}}"
    return Tables(None).add(
        read_codes("shop/order_status", yaml.load(status, file="config/codes/shop/order_status.yaml")),
        read_codes("shop/unit", yaml.load(unit, file="config/codes/shop/unit.yaml")),
        read_decisions("sales_areas", yaml.load(area, file="config/determine/sales_areas.yaml")),
    )


@pytest.fixture
def make(tables: Tables, tmp_path: Path) -> Make:
    """A mapping out of the lines below `in:` or `out:`, without a canonical schema."""

    def build(lines: str, *, direction: str = "in", head: str = "entity: anything") -> Mapping:
        body = "\n".join(f"  {line}" for line in lines.strip("\n").splitlines())
        return Translator(tmp_path, tables).load_text(f"{head}\n{direction}:\n{body}\n")

    return build
