"""Small histories for the properties that are counted: made-up companies, a scorer that is plain to see, any order."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests" / "mdm"
sys.path.insert(0, str(TESTS))  # the benches of the tests: what a property is must stand in one place

import hub_bench as bench  # noqa: E402  # found by the path that is set above
import hub_chaos as chaos  # noqa: E402  # found by the path that is set above
import hub_child as child  # noqa: E402  # found by the path that is set above

__all__ = ["TESTS", "bench", "chaos", "child"]
