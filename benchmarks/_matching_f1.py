"""How right matching is on labelled sets that others made, and on one that nothing was tuned to.

Every declaration is the one that `landbridge mdm profile` proposes without seeing a label; thresholds are chosen on one
half and scored on the other. The Chinese names are a file of labelled pairs: those are what the figure counts; what is
found when every name is compared with every other stands beside it. The sets lie beside the checkout
(LANDBRIDGE_SHARED); where they are absent only the synthetic ones are measured.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _matching_unseen import one_file, two_files

from mdm.declare import read
from mdm.evaluate import Asked, Report, evaluate, searched, tables, understand
from mdm.profile import propose

RECORDS = 3_000
RUNS = 1
"""Nothing of it is random, and nothing of it is a time."""
SHARED = Path(os.environ.get("LANDBRIDGE_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data" / "matching"

SETS: dict[str, tuple[tuple[str, ...], Callable[[Report], float]]] = {
    "febrl4": (("febrl4a.csv", "febrl4b.csv"), lambda found: found.pairs.chosen.f1),
    "febrl3": (("febrl3.csv",), lambda found: found.clusters.chosen.f1 if found.clusters else 0.0),
    "abt_buy": (
        ("abt_buy_abt.csv", "abt_buy_buy.csv", "abt_buy_gt.csv"),
        lambda found: found.one_to_one.chosen.f1 if found.one_to_one else 0.0,
    ),
}


def proposed(folder: Path) -> Report:
    """What `landbridge mdm profile` and then `landbridge mdm evaluate` do with a folder."""
    known = understand(tables(folder, None), Asked())
    found = propose(known.records, known.source_of, known.header, hidden=sorted(known.hidden))
    (folder / "declaration.yaml").write_text(found.text, encoding="utf-8")
    return evaluate(known, read(folder / "declaration.yaml", header=known.header), looks=0)


def run(records: int) -> dict[str, Any]:
    """F1 by the name of the set; without any label beside it, as declared."""
    f1: dict[str, float] = {}
    declared: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name, (files, figure) in SETS.items():
            folder = Path(temporary) / name
            if all((SHARED / file).is_file() for file in files):
                folder.mkdir()
                for file in files:
                    shutil.copy(SHARED / file, folder)
                f1[name], declared[name] = _told(name, proposed(folder), figure)
        if (SHARED / "zh_company_pairs_dev.csv").is_file():
            found = _names(Path(temporary) / "zh")
            declared["zh_companies"] = found.pop("zh_companies_declared")
            f1 |= found
        for name, made in (("unseen", one_file), ("unseen_two_files", two_files)):
            made(Path(temporary) / name, records)
            f1[name], declared[name] = _told(
                name,
                proposed(Path(temporary) / name),
                lambda found: found.clusters.chosen.f1 if found.clusters else 0.0,
            )
    return {"f1": f1, "f1_without_labels": declared}


def _told(name: str, found: Report, figure: Callable[[Report], float]) -> tuple[float, float]:
    whole = found.one_to_one or found.clusters or found.pairs
    print(f"{name}: {figure(found):.4f}, {whole.declared.f1:.4f} without labels, {found.seconds:.0f} s", flush=True)
    return figure(found), whole.declared.f1


def _names(folder: Path) -> dict[str, float]:
    folder.mkdir()
    shutil.copy(SHARED / "zh_company_pairs_dev.csv", folder)
    pairs = proposed(folder).pairs
    known = understand(tables(folder, None), Asked())
    declaration = read(folder / "declaration.yaml", header=known.header)
    every = evaluate(searched(known), declaration, looks=0).pairs
    print(
        f"zh_companies: {pairs.chosen.f1:.4f} of the labelled pairs, {pairs.declared.f1:.4f} without labels; "
        f"{every.chosen.f1:.4f} when all names are searched",
        flush=True,
    )
    return {
        "zh_companies": pairs.chosen.f1,
        "zh_companies_declared": pairs.declared.f1,
        "zh_companies_searched": every.chosen.f1,
    }
