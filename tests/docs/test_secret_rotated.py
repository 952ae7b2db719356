"""docs/operations.md, "A secret is rotated", word for word against both systems of a small company."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pages import Block, blocks
from terminal import steps, told
from test_live_check import project, world  # noqa: F401 - fixtures of the page before it, the same systems
from typer.testing import CliRunner

from landbridge.cli._app import build
from landbridge.settings import Settings
from landbridge.signatures import Forged, Request, verify
from sandbox.demo import World


def taken(folder: Path, *secrets: str) -> list[bool]:
    """Whether a request with each of these secrets in its address is believed."""
    declared = Settings.load(folder, "demo").systems["crm"].webhook
    assert declared is not None
    found = []
    for secret in secrets:
        request = Request({}, {"key": secret}, b"", "192.0.2.1", datetime(2026, 11, 22, tzinfo=UTC))
        try:
            verify(declared, request)
        except Forged:
            found.append(False)
        else:
            found.append(True)
    return found


def swap(folder: Path, block: Block) -> None:
    """Make the change that a diff block shows: the line with a minus goes, the one with a plus comes."""
    path = folder / block.marks["file"]
    text = path.read_text(encoding="utf-8")
    [before], [after] = ([line[1:] for line in block.text.splitlines() if line[0] == mark] for mark in "-+")
    assert text.count(before) == 1, f"{block}: {path.name} does not hold this line once"
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_the_page_rotates_a_webhooks_secret(
    root: Path,
    world: World,  # noqa: F811 - the fixture of that name
    project: Path,  # noqa: F811 - the same
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = list(blocks(root / "docs" / "operations.md", root))
    [change] = [one for one in page if one.language == "diff"]
    [typed] = [one for one in page if one.language == "console" and "live" in one.marks]
    old, new = "a-token-of-this-test", ""
    assert taken(project, old, "a-strangers-token-of-length") == [True, False]
    swap(project, change)
    for command, output in steps(typed.text):
        if command.startswith("export "):
            name, _, new = command.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, new)
            continue
        done = CliRunner().invoke(build(), ["-e", "demo", "-C", str(project), *command.split()[1:]])
        said = re.sub(r"\s+", " ", done.output)
        assert told(re.sub(r"\s+", " ", output)).search(said), f"$ {command}\nsays no\n{output}\nbut\n{done.output}"
        assert (done.exit_code == 0) is bool(new), done.output
    assert taken(project, old, new, "a-strangers-token-of-length") == [True, True, False]
    monkeypatch.delenv("CRM_HOOK_TOKEN")
    assert taken(project, old, new) == [False, True], "the old one is gone from the environment, the new one stands"
