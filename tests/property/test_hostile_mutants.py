"""The short form of the hunt in tests/faults/hostile_input.py: mutated configuration and payloads, and planted faults.

SEED replays a run; the figures of `make faults` are ten to fifty times these.
"""

from __future__ import annotations

import json as stdlib_json
import os
import random
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "faults"))
from hostile_input import (
    JSON,
    Counts,
    hostile_input,
    hunt,
    json_says,
    mutate,
    payload_mutants,
    yaml_mutants,
    yaml_readers,
)

from landbridge.errors import ConfigError, Invalid
from landbridge.strict import json

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(2**32)))


@pytest.fixture(autouse=True)
def told() -> None:
    print(f"SEED={SEED}")  # noqa: T201 - pytest shows it with a failure


def held(found: Counts, number: int, *, least: float) -> None:
    """Every mutant was read, some refused and some not, none wrong and none slow."""
    assert (found.wrong, found.slow) == (0, 0), found.examples
    assert found.mutants == number
    assert least < found.refused / number < 0.98, "the mutants are too mild or too wild to tell anything"


def test_mutated_configuration_is_read_or_refused_with_its_place() -> None:
    held(yaml_mutants(5_000, SEED), 5_000, least=0.4)


@pytest.mark.parametrize(("kind", "number"), [("json", 20_000), ("csv", 5_000), ("xml", 5_000)])
def test_a_mutated_payload_is_read_exactly_or_refused(kind: str, number: int) -> None:
    held(payload_mutants(kind, number, SEED), number, least=0.2)


def _leaks(content: bytes) -> Any:
    return stdlib_json.loads(content, parse_float=Decimal)


def _floats(content: bytes) -> Any:
    json.loads(content)
    return stdlib_json.loads(content)


def _first_key(content: bytes) -> Any:
    json.loads(content)
    return stdlib_json.loads(content, parse_float=Decimal, object_pairs_hook=lambda pairs: dict(pairs[::-1][:1]))


@pytest.mark.parametrize("reader", [_leaks, _floats, _first_key])
def test_the_hunt_catches_a_reader_that_lets_errors_out_or_changes_values(reader: Callable[[bytes], Any]) -> None:
    readers = dict.fromkeys(JSON, reader)
    found = hunt("json", JSON, readers, Invalid, json_says, number=2_000, seed=SEED)
    assert found.wrong > 0
    assert found.examples


def test_a_run_is_replayed_by_its_seed_and_cut_by_its_budget() -> None:
    chance, again = random.Random(SEED), random.Random(SEED)
    content = JSON["odata"]
    assert [mutate(content, "json", chance) for _ in range(50)] == [mutate(content, "json", again) for _ in range(50)]
    told = hostile_input(SEED, budget=0.2, numbers={"json": 10**9, "xml": 10**9})
    assert told["bad_input_5xx"] == told["bad_input_slow"] == 0
    assert 0 < told["json_mutants"] < 10**6
    assert told["seed"] == SEED


@pytest.mark.parametrize(
    "line",
    [
        "A: {from: number, choose: {a: 9999999999999999999999999999999999999999}}",
        f"A: number | cut({'9' * 5000})",
        f"A: {{compute: 'round(number, {'9' * 5000})'}}",
        f"A: lines[{'9' * 5000}].key",
        f"A: {{from: number, choose: {{{'9' * 90}: x}}}}",
    ],
)
def test_numbers_that_no_machine_word_holds_are_read_or_refused(line: str) -> None:
    """What the hunt found, kept."""
    [read] = yaml_readers(["mappings/x/sales_order.yaml"]).values()
    try:
        read(f"entity: sales_order\nnative: Order\nout:\n  {line}\n".encode())
    except ConfigError as error:
        assert all(one.line and one.message for one in error.problems)
