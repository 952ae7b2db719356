"""docs/stewardship.md: every command on the page is run, in order, and says what the page says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from steward_bench import ACME, ACME_MAYBE, terminal, twins

from mdm.steward.api import application, token_of

sys.path.append(str(Path(__file__).resolve().parent.parent / "docs"))
from pages import blocks
from terminal import steps, told


@pytest.fixture
def house(root, tmp_path, store, clock, monkeypatch, capsys):
    return terminal(root, tmp_path, store, clock, monkeypatch, capsys)


def test_every_example_of_the_page_runs(root: Path, tmp_path: Path, house: Any) -> None:
    world, landbridge = house

    def tell(system: str, key: str, **more: Any) -> None:
        known = {"crm": ACME, "shop": ACME_MAYBE}[system]
        getattr(world, system).put("customer", key, {**known, **more})
        world.run()

    happened = {
        "web": lambda: tell("shop", "1", website="https://acme.example"),
        "twins": lambda: twins(world, "Bremen", "Kiel", "Lübeck"),
        "moved": lambda: tell("crm", "1", name="Acme Maschinenbau AG"),
    }
    named = {"DECISION": "", "NOTICE": ""}
    ran = 0
    for block in blocks(root / "docs" / "stewardship.md", root):
        assert block.language == "console", block
        happened.pop(block.marks["after"])() if "after" in block.marks else None
        for command, expected in steps(block.text):
            words = shlex.split(command)
            if words[0] == "curl":
                said = curl(application(landbridge.installation, token_of(tmp_path)), words[1:], token_of(tmp_path))
            else:
                done = landbridge(*(named.get(word, word) for word in words[1:]))
                said = done.out + done.err
                assert done.code == 0, (command, done)
            if found := re.search(r"landbridge steward undo customer (\S+)", said):
                named["DECISION"] = found[1]
            if found := re.search(r"^(pin_moved:\S+):", said, re.MULTILINE):
                named["NOTICE"] = found[1]
            missing = unsaid(expected, said)
            assert missing is None, f"{block} $ {command}\nsays no\n{missing}\nin this order, but\n{said}"
            ran += 1
    assert ran >= 18 and not happened


def unsaid(expected: str, said: str) -> str | None:
    """The first line of the page that is not said, or not in this order; a line of `…` stands for any lines."""
    lines = iter([re.sub(r"\s+", " ", line) for line in said.splitlines()])
    for line in expected.splitlines():
        wanted = re.sub(r"\s+", " ", line).strip().replace(" … ", "…").replace("… ", "…").replace(" …", "…")
        if not any(told(wanted).search(one) for one in lines):
            return line
    return None


def curl(app: Any, words: list[str], token: Any) -> str:
    """What the command would print, asked of the application itself."""
    headers, body = {}, None
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value.replace("$(cat .landbridge/steward.token)", token.reveal())
        elif word == "-d":
            body = words.pop(0)
        elif word != "-s":
            url = word
    client = TestClient(app, base_url="http://127.0.0.1:8091", headers=headers)
    answer = client.get(url) if body is None else client.post(url, content=body.encode())
    assert answer.status_code == 200, answer.text
    return answer.text
