"""Quality on labelled sets of people, without a label in training: FEBRL 3 and 4."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mdm.bulk import match, table_of, train
from mdm.declaration import Block, Call, Column, Comparison, Declaration, Level, Thresholds
from mdm.normalise import features

EXACT = Level("exact")
CLOSE = (EXACT, Level("jaro_winkler", 0.92), Level("jaro_winkler", 0.8))


def _column(name: str, normaliser: str) -> Column:
    return Column(name, (name,), (Call(normaliser),))


PEOPLE = Declaration(
    entity="person",
    summary="",
    scoring="fellegi_sunter",
    columns=(
        _column("given_name", "fold"),
        _column("surname", "fold"),
        _column("street_number", "text"),
        _column("address_1", "street"),
        _column("address_2", "fold"),
        _column("suburb", "fold"),
        _column("postcode", "postcode"),
        _column("state", "text"),
        _column("date_of_birth", "digits"),
        _column("soc_sec_id", "digits"),
    ),
    comparisons=(
        Comparison("given_name", CLOSE, frequency=True),
        Comparison("surname", CLOSE, frequency=True),
        Comparison("street_number", (EXACT, Level("damerau_levenshtein", 1))),
        Comparison("address_1", CLOSE, frequency=True),
        Comparison("address_2", CLOSE),
        Comparison("suburb", CLOSE, frequency=True),
        Comparison("postcode", (EXACT, Level("damerau_levenshtein", 1))),
        Comparison("state", (EXACT,)),
        Comparison("date_of_birth", (EXACT, Level("damerau_levenshtein", 1), Level("damerau_levenshtein", 2))),
        Comparison(
            "soc_sec_id", (EXACT, Level("damerau_levenshtein", 1), Level("damerau_levenshtein", 2)), unique=1e-7
        ),
    ),
    blocks=(
        Block((("soc_sec_id", None),)),
        Block((("date_of_birth", None),)),
        Block((("given_name", 3), ("surname", 3))),
        Block((("surname", None), ("postcode", None))),
        Block((("address_1", None), ("street_number", None))),
        Block((("suburb", None), ("given_name", None))),
        Block((("postcode", None), ("given_name", 2))),
        Block((("address_1", 6), ("postcode", 2))),
    ),
    thresholds=Thresholds(2, -10),
)


def scored(folder: Path, *names: str) -> tuple[set[tuple[int, int]], dict[tuple[int, int], float]]:
    """The pairs that are one, and the weights of the edges."""
    rows: list[dict[str, Any]] = []
    for name in names:
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream)
    table = table_of(PEOPLE, (features(PEOPLE, row) for row in rows))
    model = train(PEOPLE, table)
    clusters: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        clusters[row["cluster"]].append(place)
    truth = {pair for members in clusters.values() for pair in combinations(members, 2)}
    edges = {
        (int(a), int(b)): float(weight)
        for found in match(PEOPLE, model, table)
        for a, b, weight in zip(found.a, found.b, found.weight, strict=True)
    }
    return truth, edges


def f1(truth: set[tuple[int, int]], found: set[tuple[int, int]]) -> float:
    return 2 * len(truth & found) / (len(truth) + len(found))


@pytest.mark.slow
def test_febrl4_pairs(shared: Path) -> None:
    truth, edges = scored(shared / "data" / "matching", "febrl4a.csv", "febrl4b.csv")
    found = f1(truth, {pair for pair, weight in edges.items() if weight >= PEOPLE.thresholds.auto})
    assert len(truth) == 5000
    assert found >= 0.9995, found


@pytest.mark.slow
def test_febrl3_pairs(shared: Path) -> None:
    """The pairs alone; the clusters that average linkage makes of them are better."""
    truth, edges = scored(shared / "data" / "matching", "febrl3.csv")
    found = f1(truth, {pair for pair, weight in edges.items() if weight >= PEOPLE.thresholds.auto})
    assert len(truth) == 6538
    assert found >= 0.999, found
