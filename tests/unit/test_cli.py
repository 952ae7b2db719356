"""The command line: exit codes, problems at their place, no traceback, and nothing imported that is not needed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from project_on_disk import FILES, registry, write_project

from landbridge.cli import build, main
from landbridge.connector import Field, Fields, Identity
from landbridge.errors import Denied

TESTED = """\
entity: sales_order
native: Order
in: {number: No, status: State | lower}
out: {No: number}
tests:
  - name: a number is carried over
    in: {given: {No: "7", State: OPEN}, expect: {number: "7", status: open}}
"""


class Ran:
    """What one call of the command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def landbridge(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> object:
    """Runs the command line in this process, in a project whose connectors are the tests' own."""
    monkeypatch.setattr("landbridge.settings._load.Registry", registry)
    monkeypatch.setattr("landbridge.connector.Registry", registry)
    for name in ("CRM_KEY", "ERP_KEY", "ERP_URL", "ERP_CLIENT", "LANDBRIDGE_ROOT", "LANDBRIDGE_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["landbridge", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        found = capsys.readouterr()
        return Ran(left.value.code or 0, found.out, found.err)

    return run


def test_check_of_a_right_project_exits_0_and_counts(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path)
    ran = landbridge("check")
    assert (ran.code, ran.out, ran.err) == (0, "2 flows, 2 systems, 2 mappings: no problems.\n", "")


def test_check_prints_every_problem_at_its_place_and_exits_1(landbridge, tmp_path: Path) -> None:
    write_project(
        tmp_path,
        config__flows__orders_to_erp=FILES["config/flows/orders_to_erp.yaml"].replace("from: crm", "from: crn"),
        mappings__shop__customer="entity: customer\nin: {name: Name | trimm}\nout: {Name: name}\n",
    )
    ran = landbridge("check")
    assert ran.code == 1
    lines = ran.err.splitlines()
    assert lines[0].startswith("config/flows/orders_to_erp.yaml:2:17  system 'crn' is not in config/systems.yaml.")
    assert lines[1].startswith("mappings/shop/customer.yaml:2:")
    assert "Did you mean 'trim'?" in lines[1]
    assert lines[2] == "2 problems in 2 files; nothing was started."
    assert "Traceback" not in ran.err


def test_check_as_json_gives_the_same_problems(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path, config__ownership="sales_order: {felds: {}}\n")
    ran = landbridge("check", "--json")
    assert ran.code == 1
    assert json.loads(ran.out) == {
        "problems": [
            {
                "file": "config/ownership.yaml",
                "line": 1,
                "column": 15,
                "message": "felds is not known here.",
                "hint": "Did you mean 'fields'?",
            }
        ],
        "warnings": [],
        "news": [],
        "systems": {},
    }


def test_the_project_is_found_from_a_folder_inside_it(landbridge, tmp_path: Path, monkeypatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path / "config" / "flows")
    assert landbridge("check").code == 0
    monkeypatch.chdir("/")
    assert landbridge("-C", str(tmp_path), "check").code == 0
    assert landbridge("check").code == 1


def test_check_live_asks_every_system_and_tells_who_refuses(landbridge, tmp_path: Path, monkeypatch) -> None:
    write_project(tmp_path)
    values = {"CRM_KEY": "planted-secret", "ERP_KEY": "k", "ERP_URL": "https://erp.example", "ERP_CLIENT": "100"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    def answer(self: object) -> Identity:
        if self.name == "erp":  # type: ignore[attr-defined]  # a connector
            raise Denied("the user may not write Order.", hint="Give it the right.")
        return Identity("ORG-1", "bus")

    fields = {name: Field(name) for name in ("Name", "No")}
    monkeypatch.setattr("project_on_disk.Shop.describe", lambda self, entity: Fields(entity, fields))
    monkeypatch.setattr("project_on_disk.Shop.check", answer)
    ran = landbridge("check", "--live")
    assert ran.code == 1
    assert "erp: the user may not write Order. Give it the right." in ran.err
    monkeypatch.setattr("project_on_disk.Shop.check", lambda self: Identity(f"ORG-{self.name}", "bus"))
    ran = landbridge("check", "--live")
    assert ran.code == 0
    assert ran.out.splitlines()[:2] == ["crm answers as ORG-crm (bus)", "erp answers as ORG-erp (bus)"]
    assert "planted-secret" not in ran.out + ran.err
    monkeypatch.setattr("project_on_disk.Shop.describe", lambda self, entity: Fields(entity, {"Nmae": Field("Nmae")}))
    ran = landbridge("check", "--live")
    assert ran.code == 1
    assert "mappings/shop/customer.yaml:3:" in ran.err
    assert "crm: customer.Name is not there any more. 'Nmae' is new and like it: was it renamed?" in ran.err
    assert "customers_to_erp/erp" in ran.err and "paused" in ran.err


def test_check_live_needs_the_secrets_that_check_does_not(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path)
    ran = landbridge("check", "--live")
    assert ran.code == 1
    assert "key: env:CRM_KEY is not set. Looked in: environment variable CRM_KEY" in ran.err


def test_an_error_shows_no_traceback_unless_debug_asks_for_it(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "r.json").write_text("{}", encoding="utf-8")
    ran = landbridge("explain", "order_to_erp", "r.json")
    assert ran.code == 1
    assert ran.err.splitlines()[0].endswith("flow 'order_to_erp' is not there. Did you mean 'orders_to_erp'?")
    sys.argv = ["landbridge", "--debug", "explain", "order_to_erp", "r.json"]
    with pytest.raises(Exception, match="order_to_erp"):
        main()


def test_a_wrong_command_line_exits_2(landbridge, tmp_path: Path) -> None:
    assert landbridge("chekc").code == 2
    assert landbridge("check", "--liev").code == 2
    assert landbridge("schema").code == 2


def test_test_runs_the_tests_inside_mappings(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path, mappings__shop__sales_order=TESTED)
    ran = landbridge("test")
    assert ran.code == 0
    assert ran.out == "without tests: shop/customer\n1 test of 2 mappings: all passed.\n"
    write_project(tmp_path, mappings__shop__sales_order=TESTED.replace("status: open}", "status: closed}"))
    ran = landbridge("test", "shop/sales_order")
    assert ran.code == 1
    assert "mappings/shop/sales_order.yaml:7  a number is carried over (in): failed" in ran.out
    assert ran.out.endswith("1 test of 1 mapping: 1 failed.\n")
    assert landbridge("test", "shop/customer").code == 0
    assert "Did you mean 'shop/customer'?" in landbridge("test", "shop/custmer").err


def test_test_as_json_lists_each_test(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path, mappings__shop__sales_order=TESTED)
    found = json.loads(landbridge("test", "--json").out)
    assert [(one["mapping"], one["direction"], one["passed"]) for one in found] == [("shop/sales_order", "in", True)]


def test_explain_shows_the_message_after_each_step_with_the_lines_that_wrote_it(landbridge, tmp_path: Path) -> None:
    flow = FILES["config/flows/orders_to_erp.yaml"].replace(", when: {status: confirmed}", "")
    write_project(tmp_path, mappings__shop__sales_order=TESTED, config__flows__orders_to_erp=flow)
    (tmp_path / "order.json").write_text('{"No": "4711", "State": "OPEN"}', encoding="utf-8")
    ran = landbridge("explain", "orders_to_erp", "order.json")
    assert ran.code == 0
    heads = [line.split()[1] for line in ran.out.splitlines() if line.startswith("──")]
    assert heads == ["extract", "canonicalise", "check", "resolve", "translate"]
    assert '   status  "open"  ← State  (mappings/shop/sales_order.yaml:3)' in ran.out
    assert '   No  "4711"  ← number  (mappings/shop/sales_order.yaml:4)' in ran.out
    steps = json.loads(landbridge("explain", "orders_to_erp", "order.json", "--json").out)
    assert steps[-1]["body"] == {"No": "4711"}


def test_explain_says_when_a_route_does_not_take_the_message(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path, mappings__shop__sales_order=TESTED)
    (tmp_path / "order.json").write_text('{"No": "4711", "State": "OPEN"}', encoding="utf-8")
    assert "not delivered, its `when` does not hold" in landbridge("explain", "orders_to_erp", "order.json").out


def test_explain_names_everything_that_is_wrong_with_a_record(landbridge, tmp_path: Path, monkeypatch) -> None:
    write_project(tmp_path, mappings__shop__sales_order=TESTED)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"No": 4711, "State": 5}')))
    ran = landbridge("explain", "orders_to_erp", "-")
    assert ran.code == 1
    assert "mappings/shop/sales_order.yaml:3" in ran.err
    assert "Traceback" not in ran.err
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    assert "the file holds no record." in landbridge("explain", "orders_to_erp", "list.json").err
    (tmp_path / "cut.json").write_text('{"No": ', encoding="utf-8")
    assert landbridge("explain", "orders_to_erp", "cut.json").code == 1
    assert "cannot be read" in landbridge("explain", "orders_to_erp", "absent.json").err


def test_schema_prints_one_and_writes_all(landbridge, tmp_path: Path) -> None:
    write_project(tmp_path)
    assert json.loads(landbridge("schema", "flow").out)["properties"]["deliver"]["type"] == "array"
    entities = json.loads(landbridge("schema", "mapping").out)["properties"]["entity"]["enum"]
    assert entities == ["customer", "inventory_level", "sales_order"]
    ran = landbridge("schema", "--write", "editor")
    assert ran.code == 0
    for line in ran.out.splitlines():
        assert json.loads((tmp_path / line).read_bytes())["$schema"].endswith("2020-12/schema")


def test_every_command_and_option_has_help_and_stands_in_the_reference(root: Path) -> None:
    import typer

    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, command in typer.main.get_command(build()).commands.items():  # type: ignore[attr-defined]  # a group
        assert command.help, name
        assert f"## landbridge {name}\n" in page
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name}"


HEAVY = ("airflow", "pandas", "great_expectations", "jsonschema", "sqlalchemy", "requests", "zeep")


@pytest.mark.parametrize(
    ("what", "also"),
    [
        (
            "import sys; sys.argv = ['landbridge', '--help']; from landbridge.cli import main; main()",
            ("pydantic", "yaml"),
        ),
        ("from landbridge.settings import load_flow, flow_names", ()),
    ],
    ids=["help", "one flow"],
)
def test_what_must_be_quick_imports_nothing_heavy(what: str, also: tuple[str, ...], root: Path) -> None:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: sys.stderr.write(' '.join(sorted({n.partition('.')[0] for n in sys.modules}))))\n"
        + what
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=60, check=True
    )
    loaded = set(done.stderr.split())
    assert "landbridge" in loaded
    assert not loaded & {*HEAVY, *also}
