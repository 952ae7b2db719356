"""20,000 forged webhooks at library level, and that the search for them would find a check that believes too much."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from landbridge.signatures import _verify

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "faults"))
from hostile_webhooks import forge, hostile_webhooks

SEED = int(os.environ.get("SEED", "20261122"))


def test_no_forgery_is_believed_and_each_is_a_plain_refusal():
    found = forge(20_000, SEED)
    print(found)  # noqa: T201 - the figure, and the seed that replays it
    assert found["forgeries"] == 20_000
    assert (found["forged_accepted"], found["bad_input_5xx"]) == (0, 0), found["examples"]


def test_the_long_form_gives_the_same_figures_and_keeps_to_its_time():
    assert hostile_webhooks(SEED, numbers={"forgeries": 500})["forgeries"] == 500
    assert hostile_webhooks(SEED, budget=0.05)["forgeries"] < 1_000_000


def _any(*_: Any) -> None:
    return


def _first_bytes(expected: list[bytes], given: list[bytes]) -> None:
    if not any(ours[:4] == theirs[:4] for ours in expected for theirs in given):
        raise _verify.Forged("signature")


PLANTED: dict[str, tuple[str, Callable[..., Any]]] = {
    "whatever is given is believed": ("_matching", _any),
    "only the first bytes are compared": ("_matching", _first_bytes),
    "the time stamp may be anything": ("tolerance", lambda proof: timedelta(days=10_000)),
    "whatever breaks it leaves it": ("_decoded", lambda text: __import__("base64").b64decode(text, validate=True)),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_the_search_finds_a_check_that_is_broken(fault, monkeypatch):
    name, broken = PLANTED[fault]
    if fault == "whatever breaks it leaves it":
        monkeypatch.setattr(_verify, "_checked", lambda proof, request: _verify._CHECKS[type(proof)](proof, request))
    monkeypatch.setattr(_verify, name, broken)
    found = forge(5_000, SEED)
    assert found["forged_accepted"] + found["bad_input_5xx"] > 0, fault
