"""Runs the tests that stand inside mapping files: given this, expect that, or this error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from landbridge.canonical import Canonical
from landbridge.errors import Invalid, LandbridgeError, Problem
from landbridge.strict import Node, did_you_mean
from landbridge.translator._context import Context, MissingParent
from landbridge.translator._mapping import Mapping
from landbridge.translator._shorts import json_value

KEYS = ("name", "in", "out")
CASE = ("given", "expect", "contains", "error", "context", "creating")
CONTEXT = ("system", "scope", "now", "target_ids", "line_ids", "rates")


@dataclass(frozen=True, slots=True)
class Result:
    """How one test ended; `differences` is empty if it passed."""

    mapping: str
    name: str
    direction: str
    file: str
    line: int
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the mapping does what the test says."""
        return not self.differences

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}  {self.name} ({self.direction}): {'passed' if self.passed else 'failed'}"
        return "\n".join([head, *(f"    {line}" for line in self.differences)])


def run_tests(mapping: Mapping, canonical: Canonical | None = None) -> list[Result]:
    """Every test of a mapping; what `in:` makes is checked against the canonical schema, too."""
    results: list[Result] = []
    for number, test in enumerate(mapping.tests, 1):
        name = str(test["name"].value) if "name" in test else f"test {number}"
        for direction in ("in", "out"):
            if direction in test:
                found = tuple(_differences(mapping, direction, test[direction], canonical))
                results.append(Result(mapping.name, name, direction, test.file, test[direction].key_line, found))
    return results


def test_problems(mapping: Mapping) -> list[Problem]:
    """What is wrong with how the tests are written."""
    found: list[Problem] = []
    for test in mapping.tests:
        found += _unknown(test, KEYS)
        for direction in ("in", "out"):
            if direction not in test:
                continue
            case = test[direction]
            found += _unknown(case, CASE)
            if "context" in case:
                found += _unknown(case["context"], CONTEXT)
            if "given" not in case or not ({"expect", "contains", "error"} & set(case.keys())):
                found.append(case.problem("a test needs `given`, and `expect`, `contains` or `error`."))
        if not test.is_mapping or not ("in" in test or "out" in test):
            found.append(test.problem("a test needs `in:` or `out:`."))
    return found


test_problems.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test


def _unknown(node: Node, known: tuple[str, ...]) -> list[Problem]:
    if not node.is_mapping:
        return [node.problem(f"a mapping is needed here, this is {node.kind}.")]
    return [
        inner.problem(f"{key} is not known here.", did_you_mean(key, known) or f"Known: {', '.join(known)}.", key=True)
        for key, _, inner in node.items()
        if key not in known
    ]


def _differences(mapping: Mapping, direction: str, case: Node, canonical: Canonical | None) -> Iterator[str]:
    if "given" not in case:
        yield "the test has no `given:`"
        return
    given = json_value(case["given"].value)
    context = context_of(case.get("context"))
    creating = "creating" not in case or case["creating"].value is True
    try:
        if direction == "in":
            result = mapping.read(given, context)
        else:
            result = mapping.write(given, context, creating=creating)
    except LandbridgeError as error:
        yield from _error(case, error)
        return
    if "error" in case:
        yield f"expected the error: {case['error'].value}"
        yield f"but it gave:        {result}"
        return
    if "expect" in case:
        yield from diff(json_value(case["expect"].value), result)
    if "contains" in case:
        yield from diff(json_value(case["contains"].value), result, partly=True)
    if direction == "in" and canonical is not None and mapping.entity in canonical:
        yield from (f"not canonical: {one.path}: {one.message}" for one in canonical.findings(mapping.entity, result))


def _error(case: Node, error: LandbridgeError) -> Iterator[str]:
    text = "\n".join(one.message for one in error.findings) if isinstance(error, Invalid) else error.message
    if "error" not in case:
        yield "it was refused:"
        yield from text.splitlines()
        return
    wanted = case["error"].value
    for part in wanted if isinstance(wanted, list) else [wanted]:
        if str(part) not in text:
            yield f"expected the error: {part}"
            yield f"but it said:        {text}"


def diff(expected: Any, found: Any, at: str = "", *, partly: bool = False) -> Iterator[str]:
    """Where two JSON values differ, a line each; `partly`: fields that are not expected do not matter."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, inner in expected.items():
            path = f"{at}.{key}" if at else key
            if key not in found:
                yield f"{path}: expected {inner!r}, is missing"
            else:
                yield from diff(inner, found[key], path, partly=partly)
        for key in found if not partly else ():
            if key not in expected:
                yield f"{f'{at}.{key}' if at else key}: not expected, is {found[key]!r}"
        return
    if isinstance(expected, list) and isinstance(found, list):
        for number, (left, right) in enumerate(zip(expected, found, strict=False)):
            yield from diff(left, right, f"{at}[{number}]", partly=partly)
        if len(expected) != len(found):
            yield f"{at}: expected {len(expected)} elements, are {len(found)}"
        return
    if expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield f"{at or 'result'}: expected {expected!r}, is {found!r}"


def context_of(node: Node | None) -> Context:
    """The context that a test describes: a fixed clock, and ids as written (`customer/s1: "17"`)."""
    said = node.value if node is not None and node.is_mapping else {}
    ids, lines = said.get("target_ids", {}), said.get("line_ids", {})

    def target_id(entity: str, subject: str) -> str:
        found = ids.get(f"{entity}/{subject}", ids.get(subject))
        if found is None:
            raise MissingParent(entity, subject)
        return str(found)

    rates: dict[tuple[str, str], list[tuple[str, Decimal]]] = {}
    for pair, rate in said.get("rates", {}).items():
        source, _, target = pair.partition("/")
        rates[source, target] = [("0001-01-01", Decimal(str(rate)))]
    now = datetime.fromisoformat(str(said.get("now", "2026-01-01T00:00:00Z")))
    return Context(
        system=str(said.get("system", "source")),
        scope=str(said.get("scope", "")),
        now=now if now.tzinfo else now.replace(tzinfo=UTC),
        target_id=target_id,
        line_id=lambda key: None if (found := lines.get(key)) is None else str(found),
        rates=rates,
    )
