"""What the hub adds to the command line comes by entry points: the kernel imports none of it."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from landbridge.cli import build

WRONG = """\
entity: customer
columns: {name: nam | company}
blocks: [name]
comparisons: {name: exact}
thresholds: {auto: 8, review: 2}
survivorship: [{attributes: name, chain: [{priority: [epr]}]}]
"""


def landbridge(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(build(), ["-C", str(folder), *arguments])


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    for name in ("config", "mappings", "schemas"):
        shutil.copytree(root / name, tmp_path / name)
    return tmp_path


def test_check_tells_the_problems_of_a_declaration_with_all_the_others(project: Path) -> None:
    (project / "config" / "mdm" / "customer.yaml").write_text(WRONG, encoding="utf-8")
    ran = landbridge(project, "check")
    assert ran.exit_code == 1
    assert "config/mdm/customer.yaml:2:17  'nam' is no field of customer. Did you mean 'name'?" in ran.output
    assert (
        "config/mdm/customer.yaml:6:55  system 'epr' is not in config/systems.yaml. Did you mean 'erp'?" in ran.output
    )
    assert ran.output.endswith("2 problems in 1 file; nothing was started.\n")


def test_check_tells_what_is_doubtful(project: Path) -> None:
    text = WRONG.replace("nam |", "name |").replace("epr", "erp")
    unused = text.replace("{name: name | company}", "{name: name | company, number: number}")
    (project / "config" / "mdm" / "customer.yaml").write_text(unused, encoding="utf-8")
    ran = landbridge(project, "check")
    assert ran.exit_code == 0
    assert "config/mdm/customer.yaml:2:33  warning: column 'number' is never used." in ran.output


def test_the_editors_schema_is_one_of_the_kinds(project: Path) -> None:
    assert json.loads(landbridge(project, "schema", "mdm").output)["title"] == "DeclarationFile"
    ran = landbridge(project, "schema", "mmd")
    assert ran.exit_code == 2
    assert "mapping, mdm" in " ".join(ran.output.replace("│", " ").split())
    landbridge(project, "schema", "--write", str(project / "editor"))
    assert (project / "editor" / "mdm.json").is_file()


@pytest.mark.parametrize(
    ("group", "names"), [("landbridge.checks", ["mdm", "mdm_models"]), ("landbridge.schemas", ["mdm"])]
)
def test_the_hub_is_found_by_its_entry_points(group: str, names: list[str]) -> None:
    assert sorted(point.name for point in entry_points(group=group)) == names


def test_a_flow_for_the_hub_alone_is_checked_and_explained(project: Path) -> None:
    flow = "flow: erp_customers\nextract: {from: erp, entity: customer}\nresolve: {customer: match}\ndeliver: []\n"
    (project / "config/flows/erp_customers.yaml").write_text(flow, encoding="utf-8")
    (project / "record.json").write_text('{"BusinessPartner": "1", "OrganizationBPName1": "A"}', encoding="utf-8")
    ran = landbridge(project, "explain", "erp_customers", str(project / "record.json"))
    assert ran.exit_code == 0, ran.output
    assert "to no system: the flow brings its records to the hub alone" in ran.output
    for file in (project / "config/mdm").glob("customer.yaml"):
        file.unlink()
    ran = landbridge(project, "check")
    assert ran.exit_code == 1
    assert "config/flows/erp_customers.yaml:4:10" in ran.output and "the hub keeps no customer" in ran.output
