"""`make faults`: every fault in numbers, cut by BUDGET (seconds), resumed by the next call, replayed by SEED.

The last line is one JSON object. What was measured so far is kept in `.landbridge/faults-<seed>.json`; when all of it
is, or with DOCS=1, the table of `docs/promises.md` is written anew. ONLY=<name of a part> runs that part alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import chunks
import figures_page
from workplace import Workplace, workplace

ROOT = Path(__file__).resolve().parent.parent.parent
FIRST = (
    "orders", "kills", "bad_replies", "database_crashes", "pauses", "lost", "duplicated", "inversions",
    "forged_accepted", "bad_input_5xx", "planted_caught", "planted",
)  # fmt: skip


class Kept:
    """What was measured with one seed, kept after every chunk."""

    def __init__(self, seed: int) -> None:
        self.file = ROOT / ".landbridge" / f"faults-{seed}.json"
        self.file.parent.mkdir(mode=0o700, exist_ok=True)
        kept = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.done: dict[str, int] = kept.get("done", {})
        self.figures: dict[str, Any] = kept.get("figures", {})
        self.commits: list[str] = kept.get("commits", [])
        self.seed = seed

    def add(self, part: str, more: dict[str, Any]) -> None:
        """One more chunk is done."""
        chunks.add(self.figures, more)
        self.done[part] = self.done.get(part, 0) + 1
        if (commit := _commit()) not in self.commits:
            self.commits.append(commit)
        state = {"done": self.done, "figures": self.figures, "commits": self.commits}
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.rename(self.file)


def measure(place: Workplace, kept: Kept, budget: float, only: str) -> bool:
    """Run chunks, of the part that is least far first, until all are done or the budget is spent; whether all are."""
    until = time.monotonic() + budget
    parts = [part for part in chunks.parts() if only in ("", part.name)]
    while open_ := [part for part in parts if kept.done.get(part.name, 0) < part.chunks]:
        if time.monotonic() >= until:
            return False
        part = min(open_, key=lambda one: kept.done.get(one.name, 0) / one.chunks)
        chunk = kept.done.get(part.name, 0)
        seed = kept.seed * 1000 + chunk
        began = time.monotonic()
        try:
            more = part.run(place, chunk, seed)
        except Exception as error:  # noqa: BLE001 - a chunk that fails is told with its seed, and the others go on
            more = {
                "failed": 1,
                "wrongs": [f"{part.name}, chunk {chunk}, seed {seed}: {type(error).__name__}: {error}"],
            }
        say(f"{part.name} {chunk + 1}/{part.chunks}, seed {seed}, {time.monotonic() - began:.1f} s: {more}")
        kept.add(part.name, more)
    return True


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def main() -> int:
    """Measure, tell, and write the page when all is measured."""
    seed = int(os.environ.get("SEED") or 20261122)
    budget = float(os.environ.get("BUDGET") or "inf")
    kept = Kept(seed)
    with workplace() as place:
        whole = measure(place, kept, budget, os.environ.get("ONLY", ""))
    for wrong in kept.figures.get("wrongs", []):
        say(f"WRONG: {wrong}")
    if os.environ.get("DOCS") or (whole and not os.environ.get("ONLY")):
        figures_page.write(ROOT / "docs" / "promises.md", kept.figures, kept.seed, kept.commits, datetime.now(UTC))
    say(figures_page.text(kept.figures))
    last = {name: kept.figures.get(name, 0) for name in FIRST}
    rest = {n: v for n, v in kept.figures.items() if n not in last and not isinstance(v, list)}
    say(json.dumps({**last, **rest, "seed": seed, "whole": whole}))
    missed = kept.figures.get("planted", 0) - kept.figures.get("planted_caught", 0)
    return int(bool(missed or any(kept.figures.get(name) for name in chunks.WRONGS)))


if __name__ == "__main__":
    sys.exit(main())
