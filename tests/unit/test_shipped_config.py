"""The configuration that ships is right in every environment, as far as that can be said without a system."""

from __future__ import annotations

from pathlib import Path

import pytest

from landbridge.settings import Settings, flow_names, load_flow

FLOWS = [
    "customers_to_erp",
    "inventory_to_crm",
    "order_status_to_crm",
    "orders_to_erp",
    "prices_to_crm",
    "products_to_crm",
    "shipments_to_crm",
]


@pytest.mark.parametrize("environment", ["demo", "test", "production"])
def test_the_shipped_configuration_is_right(root: Path, environment: str) -> None:
    settings = Settings.load(root, environment, offline=True)
    assert set(FLOWS) <= set(settings.flows)
    assert set(settings.systems) == {"crm", "erp"}


@pytest.mark.parametrize("name", FLOWS)
def test_a_shipped_flow_says_what_it_does_and_who_is_asked(root: Path, name: str) -> None:
    assert name in flow_names(root)
    flow = load_flow(root, name)
    assert flow.summary.endswith(".")
    assert flow.owner
    assert flow.enabled


def test_no_environment_holds_a_plain_secret_and_all_set_the_same_systems(root: Path) -> None:
    from landbridge.strict import yaml

    for path in sorted((root / "config" / "environments").glob("*.yaml")):
        node = yaml.load_file(path, root=root)
        assert set(node.keys()) == {"crm", "erp"}, path
        for system, _, part in node.items():
            for key, _, value in part["config"].items():
                if any(word in key for word in ("secret", "password", "key")):
                    assert str(value.value).startswith(("env:", "file:")), f"{path.name} {system}.{key}"


def test_what_the_customer_ordered_belongs_to_the_crm_and_what_was_shipped_to_the_erp(root: Path) -> None:
    rules = Settings.load(root, offline=True).owned("sales_order")
    owners = {
        path: rules.owner(path).owner for path in ("lines.quantities.ordered", "lines.price.amount", "parties.role")
    }  # type: ignore[union-attr]  # all three are owned
    assert set(owners.values()) == {"crm"}
    shipped = rules.owner("lines.quantities.shipped")
    assert shipped is not None
    assert shipped.owner == "erp"
    assert [change.at_least for change in rules.limits] == ["lines.quantities.shipped"]
    assert rules.on("cancelled", "erp", "sap_s4") == "reject_lines"
