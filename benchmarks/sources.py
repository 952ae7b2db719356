"""How fast sources are read: each part beside a hand-written loop that does the least that must be done.

    python benchmarks/sources.py [--only rest sql tryton quality] [--seconds 5]

A part is a module `_sources_<part>.py` beside this file with `measure(seconds)`, which gives its figures by name; one
that is not there is left out. Each runs in a process of its own, so that none pays for what another has loaded.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from _measure import cpu_baseline

HERE = Path(__file__).resolve().parent
PARTS = ("rest", "sql", "tryton", "quality")
RUN = "import json, {module}; print(json.dumps({module}.measure({seconds})))"


def measured(part: str, seconds: float) -> dict[str, Any]:
    """The figures of one part, from a process of its own."""
    code = RUN.format(module=f"_sources_{part}", seconds=seconds)
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part} failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long each part takes")
    given = parser.parse_args()
    result: dict[str, Any] = {}
    print(f"CPU baseline: {cpu_baseline():.1f} million additions per CPU-second")
    for part in given.only:
        if not (HERE / f"_sources_{part}.py").exists():
            print(f"{part}: not measured here")
            continue
        figures = measured(part, given.seconds)
        for name, figure in figures.items():
            print(f"{name:28} {figure:>14,}")
        result |= figures
    print(json.dumps(result))


if __name__ == "__main__":
    main()
