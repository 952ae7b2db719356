"""Stewardship of what is matched by titles: the same desk, the same sums."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "flows"))
from desk import Desk as Terminal
from memory import Memory
from workbench import balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from mdm.declare import load
from mdm.publish import EngineHub
from mdm.store import migrate

PRODUCT = Entity("Product", create="C", update="B", batch=5)
DRILL = {"name": "Cordless hammer drill with two batteries and case", "brand": "Torka"}
DRILL_MAYBE = {"name": "Cordless hammer drill two batteries with case"}


@pytest.fixture
def steward(root, tmp_path, store, clock, monkeypatch, capsys):
    migrate(store.engine)
    canonical = Canonical.load(root / "schemas" / "canonical")
    hub = EngineHub({"product": load(root, canonical)["product"]}, clock)
    crm, shop, erp = (Memory(name, clock, product=PRODUCT) for name in ("crm", "shop", "erp"))
    flows = [flow("crm_products", "crm", "product", "erp"), flow("shop_products", "shop", "product", "erp")]
    made = engine(store, clock, [crm, shop, erp], flows, hub=hub)
    crm.put("product", "1", DRILL)
    shop.put("product", "1", DRILL_MAYBE)
    for name in ("crm_products", "shop_products"):
        made.run(name)
    balanced(made)
    landbridge = Terminal(made, tmp_path, monkeypatch, capsys, canonical)
    landbridge.installation.__dict__["hub"] = hub

    def run(*arguments: Any) -> str:
        ran = landbridge("steward", *arguments)
        assert ran.code == 0, ran
        return ran.out

    return run


def test_a_doubtful_product_is_asked_shown_with_its_sum_and_decided(steward):
    [waiting] = json.loads(steward("queue", "product", "--json"))
    assert {waiting["a"]["named"], waiting["b"]["named"]} == {"crm:1", "shop:1"}
    shown = json.loads(steward("show", "product", "crm:1", "shop:1", "--json"))
    assert sum(s["bits"] + s["rarity_bits"] for s in shown["steps"]) == pytest.approx(shown["weight"], abs=1e-9)
    said = steward("show", "product", "crm:1", "shop:1")
    assert "hammer drill" in said and "pattern: " in said
    assert re.search(r"name\w* +\d0 % alike|title +\d0 % alike", said), said
    steward("decide", "product", "same", "crm:1", "shop:1")
    assert "2 " not in steward("queue", "product") and "Nothing waits" in steward("queue", "product")
