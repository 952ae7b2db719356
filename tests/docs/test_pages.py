"""What the pages say is so: examples run, commands exist, links lead somewhere, everything public is documented."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.testing
from pages import Block, anchors, blocks, documents, links, prose
from test_tutorial import edit, steps, told

from landbridge import errors
from landbridge.canonical import Canonical
from landbridge.cli._app import build
from landbridge.connector import Registry
from landbridge.net import NetSettings
from landbridge.settings import Flow, Settings
from landbridge.settings._system import SystemEntry
from landbridge.strict import yaml
from landbridge.translator import Functions

ROOT = Path(__file__).resolve().parents[2]
PAGES = documents(ROOT)
GENERATED = {"docs/flows.md", "docs/cli.md", "docs/errors.md", "docs/canonical.md"}
"""Made from the code; their own tests compare them."""
ELSEWHERE = {
    "docs/hub.md": "tests/mdm/test_hub_alone.py",
    "docs/mappings.md": "tests/unit/translator/test_reference.py",
    "docs/quality.md": "tests/flows/test_quality_page.py",
    "docs/realtime.md": "tests/flows/test_live_airflow.py",
    "docs/tutorial.md": "tests/docs/test_tutorial.py",
    "docs/webhooks.md": "tests/unit/test_signatures.py",
    "docs/howto/connect_a_soap_service.md": "tests/docs/test_connect_soap.py",
}
"""Pages whose examples another test runs."""
EVERY = [block for page in PAGES for block in blocks(page, ROOT)]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_there_are_pages_to_judge() -> None:
    assert len(PAGES) > 15
    assert len(EVERY) > 40
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/index.md", "docs/tutorial.md"):
        assert ROOT / name in PAGES, name


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


# -- links -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in links(page):
        if link.startswith(("http://", "https://")):
            dead.append(f"{link} leads out of the project")
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or not target.is_relative_to(ROOT):
            dead.append(f"{link} is not there")
        elif anchor and anchor not in anchors(target):
            dead.append(f"{link}: no such heading")
    assert not dead, dead


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        waiting += [
            t for link in links(page) if (t := (page.parent / link.partition("#")[0]).resolve()).suffix == ".md"
        ]
    lost = {named(page) for page in PAGES if page.parts[len(ROOT.parts)] != "sandbox"} - {
        named(page) for page in reached
    }
    assert not lost, f"no way leads to {lost}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    missing = []
    for name in re.findall(
        r"`((?:landbridge|connectors|mdm|tests|sandbox|schemas|dags|config|mappings|docs)/[\w./-]+)`", prose(page)
    ):
        if not (ROOT / name).exists() and not re.search(r"NAME|/environments/$", name):
            missing.append(name)
    known = {"config/landbridge.yaml", "config/quality", "config/mdm"}  # optional ones
    assert not set(missing) - known, missing


# -- commands ----------------------------------------------------------------------------------------------------------

CLI: Any = typer.main.get_command(build())


def command_lines(page: Path) -> Iterator[str]:
    """Every `landbridge …` of a page: in console blocks and in the middle of a sentence."""
    for block in blocks(page, ROOT):
        if block.language in ("console", ""):
            yield from (c for line in block.text.splitlines() for c in re.findall(r"^\$ (landbridge .*)", line))
    yield from re.findall(r"`(landbridge(?: [^`]*)?)`", prose(page))


def why_wrong(line: str) -> str:
    """Why a command line would be refused, "" if it would not; arguments may be left out in a sentence."""
    words = shlex.split(line.partition("|")[0].replace("…", ""))[1:]
    command, path = CLI, "landbridge"
    options = {option: one for one in command.params for option in one.opts}
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            name, _, value = word.partition("=")
            if name not in {*options, "--help", "-h"}:
                return f"{path} has no option {word}"
            if name in options and not options[name].is_flag and not value and words:
                words.pop(0)
        elif getattr(command, "commands", None):
            if word not in command.commands:
                return f"{path} has no command {word}" if word.islower() else ""
            command, path = command.commands[word], f"{path} {word}"
            options |= {option: one for one in command.params for option in one.opts}
    return ""


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_on_a_page_exists(page: Path) -> None:
    wrong = [f"{line}: {why}" for line in command_lines(page) if (why := why_wrong(line))]
    assert not wrong, wrong


def test_a_wrong_command_line_is_noticed() -> None:
    assert why_wrong("landbridge runn x")
    assert why_wrong("landbridge run x --nope")
    assert why_wrong("landbridge dead lst")
    assert why_wrong("landbridge -e test upp")
    assert not why_wrong("landbridge --debug -e test dead list --flow x")


def test_every_make_target_on_a_page_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        asked = set(re.findall(r"`make ([a-z]+)|^\$ make ([a-z]+)", text, re.MULTILINE))
        assert {one or other for one, other in asked} <= targets, named(page)


# -- examples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [b for b in EVERY if "file" in b.marks and b.page == "README.md"], ids=str)
def test_the_flow_of_the_readme_is_the_one_that_is_shipped(block: Block) -> None:
    assert block.text == (ROOT / block.marks["file"]).read_text(encoding="utf-8")


def test_the_readme_shows_a_flow() -> None:
    assert any(block.page == "README.md" and block.language == "yaml" for block in EVERY)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's own files, to be edited."""
    for name in ("config", "mappings", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


HOWTO = [
    page
    for page in PAGES
    if named(page) not in ELSEWHERE and (page.parent.name == "howto" or named(page) in ("README.md", "CONTRIBUTING.md"))
]
OFFLINE = ("landbridge check", "landbridge test")


@pytest.mark.parametrize("page", HOWTO, ids=named)
def test_a_howto_does_what_it_says(page: Path, project: Path) -> None:
    """Its edits are made, its files written, its offline commands run; the others are parsed by the test above."""
    runner = typer.testing.CliRunner()
    for block in blocks(page, ROOT):
        if block.language == "diff":
            edit(project, block)
        elif block.language == "yaml":
            file = project / block.marks["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language:
            assert block.language == "console", f"{block}: what is this?"
            for command, output in steps(block.text):
                if not command.startswith(OFFLINE) or "--live" in command:
                    continue
                result = runner.invoke(build(), ["-C", str(project), *shlex.split(command)[1:]])
                assert result.exit_code == int(block.marks.get("exit", "0")), f"{block}: {command}:\n{result.output}"
                if output:
                    assert told(output).fullmatch(result.output.strip()), f"{block}: {command}:\n{result.output}"


@pytest.mark.parametrize("block", [b for b in EVERY if b.page.startswith("docs/connectors/")], ids=str)
def test_an_example_of_a_connectors_page_is_valid(block: Block) -> None:
    assert block.language == "yaml"
    registry = Registry()
    for name, entry in yaml.load(block.text, file=block.page).value.items():
        system = SystemEntry.model_validate(entry)
        registry[system.connector].config.model_validate(system.config)
        NetSettings.model_validate(system.net)
        assert name


def test_every_example_is_judged_by_some_test() -> None:
    """A new kind of block needs a test that reads it."""
    left = []
    for block in EVERY:
        if block.page in GENERATED or block.page in ELSEWHERE or block.language in ("console", "diff"):
            continue
        read = "file" in block.marks or block.page.startswith("docs/connectors/")
        if block.language in ("yaml", "json", "xml", "toml") and not read:
            left.append(str(block))
    assert not left, left
    assert all((ROOT / test).is_file() for test in ELSEWHERE.values())


def test_the_python_of_a_sandboxs_page_compiles() -> None:
    found = [block for block in EVERY if block.language == "python" and block.page.startswith("sandbox/")]
    assert found
    for block in found:
        compile(block.text, str(block), "exec")


# -- everything is documented ------------------------------------------------------------------------------------------


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def every_command(command: Any, path: str = "landbridge") -> Iterator[str]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from every_command(inner, f"{path} {name}")


@pytest.mark.parametrize("command", list(every_command(CLI)))
def test_every_command_is_documented(command: str) -> None:
    assert f"\n## {command}\n" in text_of("cli.md"), "make docs"


@pytest.mark.parametrize(
    "name", [n for n, e in vars(errors).items() if isinstance(e, type) and issubclass(e, Exception)]
)
def test_every_error_is_documented(name: str) -> None:
    assert f"\n## {name}\n" in text_of("errors.md"), "make docs"


@pytest.mark.parametrize("model", [Flow, SystemEntry, NetSettings])
def test_every_setting_is_documented(model: Any) -> None:
    page = text_of("flows.md")
    assert [n for n, f in model.model_fields.items() if f"| `{f.alias or n}` |" not in page] == [], "make docs"


@pytest.mark.parametrize("name", Registry().names())
def test_every_connector_is_documented(name: str) -> None:
    assert (ROOT / "docs" / "connectors" / f"{name}.md").is_file()
    assert f"docs/connectors/{name}.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"connectors/{name}.md" in text_of("index.md")


@pytest.mark.parametrize("entity", Canonical.load(ROOT / "schemas" / "canonical").entities)
def test_every_canonical_entity_is_documented(entity: str) -> None:
    assert re.search(rf"^## `?{entity}`?$", text_of("canonical.md"), re.MULTILINE)


@pytest.mark.parametrize("function", sorted(Functions.standard().names()))
def test_every_mapping_function_is_documented(function: str) -> None:
    assert re.search(rf"`{function}[`(]", text_of("mappings.md"))


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "config" / "flows").glob("*.yaml")))
def test_every_shipped_flow_says_what_it_is_for(name: str) -> None:
    flow = Settings.load(ROOT, "test", offline=True).flow(name)
    assert flow.summary and flow.owner


def test_the_words_of_troubleshooting_are_those_of_the_messages() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "landbridge").rglob("*.py")))
    said = re.findall(r"^\| `([^`]+)` \|", text_of("troubleshooting.md"), re.MULTILINE)
    assert len(said) > 10
    assert [words for words in said if words not in source] == []


# -- promises ----------------------------------------------------------------------------------------------------------


def test_every_promise_names_its_limit_and_a_test_that_is_there() -> None:
    page = text_of("promises.md")
    rows = [row for row in re.findall(r"^\| (.+) \|$", page, re.MULTILINE) if "](../tests/" in row]
    assert len(rows) > 25
    for row in rows:
        promise, limit, proof = (cell.strip() for cell in row.split(" | "))
        assert promise and limit, row
        for names, file in re.findall(r"\[([^\]]+)\]\(\.\./((?:tests|landbridge)/[^)]+)\)", proof):
            text = (ROOT / file).read_text(encoding="utf-8")
            for name in names.split(", "):
                assert re.search(rf"^def {name}\(", text, re.MULTILINE), f"{file} has no {name}"


def test_what_is_not_promised_is_told() -> None:
    section = text_of("promises.md").partition("## Not promised yet")[2]
    for word in ("master-data hub",):
        assert word in section
        assert word.lower() in (ROOT / "README.md").read_text(encoding="utf-8").lower()


def test_what_a_flow_may_say_in_vain_is_told() -> None:
    from landbridge.settings import _pending

    section = text_of("promises.md").partition("## Not promised yet")[2]
    for path in {**_pending.KEPT, **_pending.REFUSED}:
        assert path[-1] in section or ".".join(path) in section, path
