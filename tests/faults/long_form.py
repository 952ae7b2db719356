"""`make faults`: every fault in numbers, cut by BUDGET (seconds), resumed by the next call, replayed by SEED.

The last line is one JSON object. What was measured so far is kept in `.landbridge/faults-<seed>.json`; when all of it
is, or with DOCS=1, the table of `docs/promises.md` is written anew. ONLY=<name of a part, or several by comma> runs
these alone, LANES says how many chunks are measured side by side (as many as there are processors).
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
from lanes import Asked, Lanes, Measured

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
        self.done: dict[str, list[int]] = kept.get("done", {})
        self.figures: dict[str, Any] = kept.get("figures", {})
        self.seconds: dict[str, float] = kept.get("seconds", {})
        self.commits: list[str] = kept.get("commits", [])
        self.seed = seed
        self._commit = _commit()  # what is measured, whatever is committed meanwhile

    def add(self, found: Measured) -> None:
        """One more chunk is done."""
        part = found.asked.part
        chunks.add(self.figures, found.figures)
        self.done.setdefault(part, []).append(found.asked.chunk)
        self.seconds[part] = round(self.seconds.get(part, 0.0) + found.seconds, 1)
        if self._commit not in self.commits:
            self.commits.append(self._commit)
        state = {"done": self.done, "figures": self.figures, "seconds": self.seconds, "commits": self.commits}
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.rename(self.file)

    def next(self, only: str, running: list[Asked]) -> Asked | None:
        """The next chunk, of the part that is least far; None if no other is left."""
        begun = {part: set(numbers) for part, numbers in self.done.items()}
        for one in running:
            begun.setdefault(one.part, set()).add(one.chunk)
        wanted = [part for part in chunks.parts() if not only or part.name in only.split(",")]
        left = [part for part in wanted if len(begun.get(part.name, ())) < part.chunks]
        if not left:
            return None
        part = min(left, key=lambda one: len(begun.get(one.name, ())) / one.chunks)
        chunk = min(set(range(part.chunks)) - begun.get(part.name, set()))
        return Asked(part.name, chunk, self.seed * 1000 + chunk)


def measure(lanes: Lanes, kept: Kept, budget: float, only: str) -> bool:
    """Run chunks until all are done or the budget is spent; whether all are."""
    until = time.monotonic() + budget
    number = {part.name: part.chunks for part in chunks.parts()}
    while True:
        while lanes.free and time.monotonic() < until and (asked := kept.next(only, lanes.busy)):
            lanes.begin(asked)
        if not lanes.busy:
            return kept.next(only, []) is None
        found = lanes.wait()
        kept.add(found)
        one = found.asked
        far = f"{len(kept.done[one.part])}/{number[one.part]}"
        say(f"{one.part} {far}, chunk {one.chunk}, seed {one.seed}, {found.seconds:.1f} s: {found.figures}")


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
    only = os.environ.get("ONLY") or ""
    kept = Kept(seed)
    lanes = Lanes(int(os.environ.get("LANES") or os.cpu_count() or 1))
    try:
        whole = measure(lanes, kept, budget, only)
    finally:
        lanes.close()
    for wrong in kept.figures.get("wrongs", []):
        say(f"WRONG: {wrong}")
    if os.environ.get("DOCS") or (whole and not only):
        figures_page.write(ROOT / "docs" / "promises.md", kept.figures, kept.seed, kept.commits, datetime.now(UTC))
    say(figures_page.text(kept.figures))
    last = {name: kept.figures.get(name, 0) for name in FIRST}
    rest = {n: v for n, v in kept.figures.items() if n not in last and not isinstance(v, list)}
    say(json.dumps({**last, **rest, "seed": seed, "whole": whole, "seconds": round(sum(kept.seconds.values()))}))
    missed = kept.figures.get("planted", 0) - kept.figures.get("planted_caught", 0)
    return int(bool(missed or any(kept.figures.get(name) for name in chunks.WRONGS)))


if __name__ == "__main__":
    sys.exit(main())
