"""Quality on labelled pairs of Chinese company names: names only, no label in training."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from mdm.bulk import match, table_of, train
from mdm.declaration import Block, Call, Column, Comparison, Declaration, Guard, Level, Thresholds
from mdm.normalise import features

NAMES = Declaration(
    entity="company",
    summary="",
    scoring="fellegi_sunter",
    columns=(
        Column("name", ("name",), (Call("core"),)),
        Column("words", ("name",), (Call("core"), Call("tokens"))),
    ),
    comparisons=(
        Comparison(
            "name",
            (Level("exact"), *(Level("jaro_winkler", at) for at in (0.97, 0.94, 0.9, 0.85))),
        ),
    ),
    blocks=(Block((("words", None),)),),
    thresholds=Thresholds(0, -30),
    guard=Guard(hot=2000),
)


def f1(found: set[tuple[str, str]], truth: set[tuple[str, str]]) -> float:
    return 2 * len(found & truth) / (len(found) + len(truth)) if found else 0.0


@pytest.mark.slow
def test_chinese_company_names(shared: Path) -> None:
    """Every name of one side against every name of the other; the threshold of one half is scored on the other."""
    with (shared / "data" / "matching" / "zh_company_pairs_dev.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = sorted({row[side] for row in rows for side in "ab"})
    table = table_of(NAMES, (features(NAMES, {"name": name}) for name in names))
    weights: dict[tuple[str, str], float] = {}
    for edges in match(NAMES, train(NAMES, table), table):
        for a, b, weight in zip(edges.a, edges.b, edges.weight, strict=True):
            weights[names[a], names[b]] = weights[names[b], names[a]] = float(weight)

    halves: tuple[list[dict[str, str]], list[dict[str, str]]] = ([], [])
    for row in rows:
        halves[random.Random(row["a"]).random() < 0.5].append(row)
    found = []
    for chosen_on, scored_on in (halves, halves[::-1]):
        threshold = max(set(weights.values()), key=lambda at: _quality(weights, chosen_on, at))
        found.append(_quality(weights, scored_on, threshold))
    assert sum(found) / 2 >= 0.93, found
    whole = max(_quality(weights, rows, at) for at in set(weights.values()))
    assert whole >= 0.93, whole


def _quality(weights: dict[tuple[str, str], float], rows: list[dict[str, str]], threshold: float) -> float:
    truth = {(row["a"], row["b"]) for row in rows if row["y"] == "是" and row["a"] != row["b"]}
    left, right = {row["a"] for row in rows}, {row["b"] for row in rows}
    found = {(a, b) for (a, b), weight in weights.items() if weight >= threshold and a in left and b in right}
    return f1(found, truth)
