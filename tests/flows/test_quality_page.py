"""docs/quality.md: its files are right, its commands say what it says, and its table of words is the vocabulary."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from memory import Memory
from workbench import engine, flow

from landbridge.canonical import Canonical
from landbridge.cli import main
from landbridge.cli._quality import direction, sparkline
from landbridge.connector import Entity
from landbridge.quality import PER_BATCH, PER_ROW, VOCABULARY, Checker, read_rules
from landbridge.settings import Settings
from landbridge.strict import yaml

FILE = re.compile(r"```yaml file=(\S+)\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n\$ (.*?)\n(.*?)```", re.DOTALL)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "quality.md").read_text(encoding="utf-8")


@pytest.fixture
def project(root: Path, tmp_path: Path, page: str) -> Path:
    """The shipped project with the page's files in it."""
    for part in ("config", "mappings", "schemas"):
        shutil.copytree(root / part, tmp_path / part)
    written = dict(FILE.findall(page))
    assert set(written) == {"config/flows/orders_to_erp.yaml", "config/quality/strict_order.yaml"}
    for name, text in written.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(project: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> tuple[int, str]:
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", command.split())
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr()
    return int(left.value.code or 0), said.err + said.out


def agrees(said: str, shown: str) -> bool:
    """Whether a text is what the page shows; `…` stands for anything within a line."""
    lines = [".*".join(re.escape(part.strip()) for part in line.split("…")) for line in shown.strip().splitlines()]
    return re.fullmatch(r"\s*" + r"\s*\n\s*".join(rf"{line}\s*" for line in lines), said) is not None


def test_the_files_on_the_page_are_right(project: Path) -> None:
    settings = Settings.load(project, offline=True)
    rules = settings.quality[settings.flow("orders_to_erp").check.quality]
    assert [rule.batch_only for rule in rules.rules] == [False, False, True]


def test_a_record_is_tried_as_the_page_shows(
    project: Path, page: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    command, shown = next(found for found in CONSOLE.findall(page) if "quality test" in found[0])
    body = {
        "number": "4711", "currency": "EUR", "parties": [{"role": "sold_to", "name": "Acme"}],
        "lines": [{
            "line_key": "1", "product": {"ref": {"system": "crm", "scope": None, "entity": "product", "id": "P1"}},
            "quantities": {"ordered": {"value": "0", "unit": "C62"}},
        }],
    }  # fmt: skip
    (project / "order.json").write_text(json.dumps(body), encoding="utf-8")
    code, said = run(project, f"{command} --canonical", monkeypatch, capsys)
    assert code == 1
    assert agrees(said, shown), said
    told = json.loads(run(project, f"{command} --canonical --json", monkeypatch, capsys)[1])
    assert told["held"] and [one["path"] for one in told["findings"]] == ["lines[0].quantities.ordered.value"]
    body["lines"][0]["quantities"]["ordered"]["value"] = "1"  # type: ignore[index]  # it is a line of ours
    (project / "order.json").write_text(json.dumps(body), encoding="utf-8")
    assert run(project, f"{command} --canonical", monkeypatch, capsys) == (
        0,
        "2 rules, 0 findings; 1 rule across a batch are the gate's.\n",
    )


def test_a_native_record_is_made_canonical_first(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    native = {"Id": "001", "Name": "--", "LastModifiedDate": "2026-01-05T08:00:00.000+0000"}
    (tmp_path / "account.json").write_text(json.dumps(native), encoding="utf-8")
    code, said = run(root, f"landbridge quality test customers_to_erp {tmp_path / 'account.json'}", monkeypatch, capsys)
    assert code == 1 and "critical: name: *** does not match" in said
    code, said = run(root, f"landbridge explain customers_to_erp {tmp_path / 'account.json'}", monkeypatch, capsys)
    assert code == 1 and "name: *** does not match" in said
    (tmp_path / "account.json").write_text(json.dumps(native | {"Name": "Test"}), encoding="utf-8")
    code, said = run(root, f"landbridge explain customers_to_erp {tmp_path / 'account.json'}", monkeypatch, capsys)
    assert "quality rules customer: name: *** matches" in said


def test_a_flow_without_rules_says_how_it_gets_some(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    code, said = run(root, "landbridge quality test prices_to_crm pyproject.toml", monkeypatch, capsys)
    assert code == 1 and "prices_to_crm has no quality rules. hint: Write `check: {quality: NAME}`" in said


def test_the_words_on_the_page_are_the_vocabulary(page: str) -> None:
    table = page.partition("## The words")[2].partition("##")[0]
    rows = {found[0]: found for found in re.findall(r"^\| `(expect_\w+)` \|(.*)\| (.*) \|$", table, re.MULTILINE)}
    assert list(rows) == list(VOCABULARY)
    for model in (*PER_ROW, *PER_BATCH):
        (name,) = model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]  # a Literal of one word
        own = set(model.model_fields) - {
            "type", "name", "severity", "when", "notes", "hint", "meta", "mostly", "column", "column_A", "column_B",
        }  # fmt: skip
        told = (
            rows[name][1]
            if rows[name][1].strip() != "the same, in characters"
            else rows["expect_column_values_to_be_between"][1]
        )
        assert own <= set(re.findall(r"`(\w+)", told)), name
        assert (rows[name][2] == "at the gate") is (model in PER_BATCH)


def test_every_shipped_file_is_on_the_page(root: Path, page: str) -> None:
    for path in (root / "config" / "quality").glob("*.yaml"):
        assert f"| `{path.stem}` |" in page


@pytest.mark.parametrize(
    ("shares", "bars", "way"),
    [
        ([], "", "→"), ([0.0], "▁", "→"), ([0.0, 0.0, 0.004], "▁▁▂", "↗ worse"), ([1.0, 0.5, 0.0], "█▅▁", "↘ better"),
        ([0.2, 0.2], "▂▂", "→"),
    ],
)  # fmt: skip
def test_a_trend_is_seen_at_a_glance(shares: list[float], bars: str, way: str) -> None:
    assert (sparkline(shares), direction(shares)) == (bars, way)


def test_results_are_shown_as_the_page_says(
    root: Path, store: Any, clock: Any, tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    pytest.importorskip("great_expectations", reason="needs the extra `quality`")
    canonical = Canonical.load(root / "schemas" / "canonical")
    text = dict(FILE.findall(page))["config/quality/strict_order.yaml"]
    rules = read_rules(yaml.load(text, file="strict_order.yaml"), "strict_order", canonical)
    checker = Checker(rules)
    crm, erp = (Memory(name, clock, sales_order=Entity("Order", create="C", update="C")) for name in ("crm", "erp"))
    orders = flow("orders_to_erp", "crm", "sales_order", "erp", check={"quality": "strict_order"})
    made = engine(store, clock, [crm, erp], [orders], check=lambda _, body: checker(body))
    landbridge = Desk(made, tmp_path, monkeypatch, capsys, canonical)
    landbridge.installation.settings = replace(landbridge.installation.settings, quality={"strict_order": rules})

    def order(key: str, ordered: str) -> None:
        crm.put("sales_order", key, {"number": key, "lines": [{"quantities": {"ordered": {"value": ordered}}}]})

    nothing = landbridge("quality", "show", "orders_to_erp")
    assert nothing.code == 0 and "the gate has not looked at orders_to_erp yet" in nothing.out
    assert (
        "nothing waits for orders_to_erp; its 3 rules were not asked"
        in landbridge("quality", "run", "orders_to_erp").out
    )
    assert "there is no page of orders_to_erp yet" in landbridge("quality", "page", "orders_to_erp").err
    pages = []
    for wrong in (0, 0, 1):
        for n in range(5):
            order(f"{wrong}-{len(pages)}-{n}", "0" if n < wrong else "1")
        made.extract(orders)
        looked = landbridge("quality", "run", "orders_to_erp")
        assert looked.code == wrong
        pages.append(landbridge("quality", "page", "orders_to_erp").out.strip())
        made.process("crm", "sales_order")
        clock.advance(300)
    assert all(Path(one).is_file() for one in pages) and len(set(pages)) == 3
    assert landbridge("quality", "page", "orders_to_erp", "--back", "2").out.strip() == pages[0]
    _, shown = next(found for found in CONSOLE.findall(page) if "quality show" in found[0])
    said = landbridge("quality", "show", "orders_to_erp").out
    lines = said.splitlines()
    assert lines[0] == "orders_to_erp: quarantined, 5 messages, 5 min ago (strict_order.yaml)"
    assert lines[1].split() == re.sub("…", " ", shown.splitlines()[1]).split()
    assert re.search(r"ordered\.value +critical +5 +1 +20\.0  BROKEN  ▁▁▂ +↗ worse", lines[2])
    assert re.search(r"the lines make the total +warning +0 +0 +0\.0  ok +▁▁▁ +→", lines[3])
    assert lines[-1] == f"page: {pages[-1]}"
    crm.put(
        "sales_order",
        "noted",
        {
            "number": "noted",
            "status": "confirmed",
            "totals": {"net": {"amount": "9"}},
            "lines": [{"net": {"amount": "1"}, "quantities": {"ordered": {"value": "1"}}}],
        },
    )
    made.run("orders_to_erp")
    traced = landbridge("trace", "noted").out
    assert "delivered (created)" in traced
    assert "warning: sum(lines[].net.amount): sum(lines[].net.amount) (1) is not totals.net.amount (9): The" in traced
    told = json.loads(landbridge("quality", "show", "orders_to_erp", "--json").out)
    assert [one["outcome"] for one in told] == ["quarantined", "passed", "passed"]
    assert told[0]["results"][0]["sample"] == ["1-2-0"]
