"""What the pages tell a newcomer to run first, `landbridge check --live`, has nothing to complain about as shipped."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landbridge.cli._app import build
from sandbox._base import serve
from sandbox.demo import World, generate
from sandbox.salesforce import altered


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Both systems of a small company, found by the variables of the demo environment."""
    ours = World(tmp_path / "state", generate(7, customers=2, products=2, orders=1), erp_password="for-this-test")
    ours.crm.register_client("a-client", "a-secret")
    with serve(ours.crm.app) as crm, serve(ours.erp.app) as erp:
        for name, value in {
            "DEMO_CRM_URL": crm.url,
            "DEMO_CRM_CLIENT_ID": "a-client",
            "DEMO_CRM_CLIENT_SECRET": "a-secret",
            "DEMO_ERP_URL": erp.url,
            "DEMO_ERP_USER": "LANDBRIDGE",
            "DEMO_ERP_PASSWORD": "for-this-test",
            "CRM_HOOK_TOKEN": "a-token-of-this-test",
        }.items():
            monkeypatch.setenv(name, value)
        yield ours
    ours.close()


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    for name in ("config", "mappings", "schemas"):
        shutil.copytree(root / name, tmp_path / "project" / name)
    return tmp_path / "project"


def test_what_is_shipped_passes_against_the_fields_of_both_systems(world: World, project: Path) -> None:
    result = CliRunner().invoke(build(), ["-C", str(project), "-e", "demo", "check", "--live"])
    assert result.exit_code == 0, result.output
    assert re.search(r"^crm answers as 00D\w+", result.output, re.MULTILINE)
    assert "erp answers as S4H/100" in result.output


def test_a_field_that_the_system_does_not_have_is_named(world: World, project: Path) -> None:
    file = project / "mappings" / "sap_s4" / "customer.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("  SearchTerm1: name", "  SearchTerm9: name"), encoding="utf-8")
    result = CliRunner().invoke(build(), ["-C", str(project), "-e", "demo", "check", "--live"])
    assert result.exit_code == 1
    assert "A_BusinessPartner has no field 'SearchTerm9'. Did you mean 'SearchTerm1'?" in result.output


def test_what_an_administrator_changed_is_told_once_and_stops_the_route_that_needs_it(
    world: World, project: Path
) -> None:
    def check() -> tuple[int, str]:
        result = CliRunner().invoke(build(), ["-C", str(project), "-e", "demo", "check", "--live"])
        return result.exit_code, result.output

    assert check()[0] == 0
    with (
        altered(world.crm, "Order", "ERP_Status__c", to="ERP_State__c"),
        altered(world.crm, "Account", "Site", dropped=True),
    ):
        code, said = check()
        assert code == 1
        assert "crm: Account.Site is not there any more; no route needs it." in said
        [line] = [one for one in said.splitlines() if one.startswith("mappings/salesforce/sales_order.yaml:60:3")]
        assert line.endswith(
            "crm: Order.ERP_Status__c is not there any more. 'ERP_State__c' is new and like it: was it renamed? "
            "Then write ERP_State__c there. order_status_to_crm/crm is paused."
        )
        assert "1 problem in 1 file" in said
        assert "Account.Site" not in check()[1]  # told once
    code, said = check()
    assert code == 0 and "order_status_to_crm/crm runs again: what had changed for it is gone or seen to." in said
