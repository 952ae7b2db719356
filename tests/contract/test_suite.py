"""The contract suite over every registered connector, and the waivers over their docs pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bench import Bench
from connectors_under_test import HERE, REGISTRY, benches
from suite import ALL

from landbridge.contract import waived

PRODUCTS = [name for name in benches() if ":" not in name]


@pytest.mark.parametrize("check", ALL)
@pytest.mark.parametrize("name", benches())
def test_contract(name: str, check: str, start: Callable[..., Bench]) -> None:
    name, _, variant = name.partition(":")
    reason = waived(REGISTRY[name], check)
    if reason is not None:
        assert len(reason) > 20, "a waiver says why"
        return
    ALL[check](start(REGISTRY[name], variant))


@pytest.mark.parametrize("name", [one.name for one in REGISTRY if not one.connector.canonical])
def test_every_connector_has_a_bench(name: str) -> None:
    assert (HERE / f"bench_{name}.py").exists(), f"tests/contract/bench_{name}.py is missing"


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_waiver_names_a_check_and_stands_on_the_docs_page(name: str, root: Path) -> None:
    page = (root / "docs" / "connectors" / f"{name}.md").read_text(encoding="utf-8")
    known = set(ALL) | {check.partition("[")[0] for check in ALL}
    for waiver in REGISTRY[name].connector.waivers:
        assert waiver.test in known, f"{waiver.test} is no check of the suite"
        assert waiver.test in page, f"{waiver.test} is not on the docs page"
        assert waiver.reason in page, f"the reason of {waiver.test} is not on the docs page"


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_docs_page_tells_every_setting_and_entity(name: str, root: Path) -> None:
    page = (root / "docs" / "connectors" / f"{name}.md").read_text(encoding="utf-8")
    registration = REGISTRY[name]
    for field in registration.config.model_fields:
        assert f"`{field}`" in page, f"the setting {field} is not on the docs page"
    for entity, declared in registration.connector.entities.items():
        assert f"`{entity}`" in page, f"the entity {entity} is not on the docs page"
        assert declared.native in page, f"{declared.native} is not on the docs page"
