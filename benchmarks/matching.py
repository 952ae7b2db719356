"""The hub, measured: matching a first load, one record at a time, and what must be identical whatever happens.

    python benchmarks/matching.py [--only PART ...] [--records N] [--runs 3] [--kept FILE] [--docs docs/matching.md]

A part is a module `_matching_<part>.py` beside this one. It has `run(records: int) -> dict`, its default `RECORDS`,
and may have `RUNS` (how often, where 3 would take too long) and `WORST` (figures of which the worst counts: the
greatest). Each run is a process of its own, so that memory is its own too; a figure is the median of the runs. The last
line is one JSON object with the figures of all parts; `--docs` writes them into the page's table. All parts take an
hour: with `--kept` they can be measured one by one, and every run adds its figures to those of the file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from _matching_page import put

HERE = Path(__file__).resolve().parent


def parts() -> list[str]:
    """The names of the parts that are there."""
    found = (path.stem.removeprefix("_matching_") for path in HERE.glob("_matching_*.py"))
    return sorted(name for name in found if hasattr(import_module(f"_matching_{name}"), "run"))


def median(values: Sequence[Any], *, worst: bool = False) -> Any:
    """The median of numbers, whether all of truths, and the same inside of mappings."""
    if all(isinstance(value, dict) for value in values):
        return {key: median([value[key] for value in values], worst=worst) for key in values[0]}
    if all(isinstance(value, bool) for value in values):
        return all(values)
    if all(isinstance(value, int | float) for value in values):
        return max(values) if worst else statistics.median(values)
    return values[0]


def measured(name: str, records: int | None, runs: int) -> dict[str, Any]:
    """The figures of one part, every run in a process of its own."""
    module = import_module(f"_matching_{name}")
    found = []
    for number in range(getattr(module, "RUNS", runs) if runs > 1 else 1):
        print(f"== {name}, run {number + 1}", flush=True)
        found.append(_alone(name, records))
    worst: frozenset[str] = frozenset(getattr(module, "WORST", ()))
    return {key: median([one[key] for one in found], worst=key in worst) for key in found[0]}


def _alone(name: str, records: int | None) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "matching.py"), "--alone", name]
    command += ["--records", str(records)] if records is not None else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        last = ""
        for line in running.stdout:
            if line.strip() and line[0] != "{":
                print(line, end="", flush=True)
            last = line if line.strip() else last
    if running.returncode != 0:
        sys.exit(f"{name} ended with {running.returncode}")
    figures: dict[str, Any] = json.loads(last)
    return figures


def machine() -> str:
    """What the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    """Run what is asked for and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", metavar="PART", help=f"one of {', '.join(parts())}; repeatable")
    parser.add_argument("--records", type=int, help="how many records; each part has its own default")
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median counts")
    parser.add_argument(
        "--kept", type=Path, help="a JSON file to which figures are added, and which counts as measured"
    )
    parser.add_argument("--docs", type=Path, help="write the figures into the table of this page")
    parser.add_argument("--alone", metavar="PART", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        module = import_module(f"_matching_{asked.alone}")
        print(json.dumps(module.run(asked.records or module.RECORDS)))
        return
    chosen = asked.only or parts()
    if unknown := set(chosen) - set(parts()):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(parts())}")
    figures: dict[str, Any] = json.loads(asked.kept.read_text()) if asked.kept and asked.kept.exists() else {}
    for name in chosen:
        figures |= measured(name, asked.records, asked.runs)
        figures.setdefault("measured", {})[name] = {
            "runs": getattr(import_module(f"_matching_{name}"), "RUNS", asked.runs) if asked.runs > 1 else 1,
            "load": round(os.getloadavg()[0], 1),
        }
        if asked.kept:
            asked.kept.write_text(json.dumps(figures))
    if asked.docs:
        put(asked.docs, figures, machine())
    print(machine())
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
