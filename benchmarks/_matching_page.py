"""The table of figures in docs/matching.md: what is asked, what was measured, and on what machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROWS: tuple[tuple[str, str, str], ...] = (
    ("million_s", "1,000,000 customers of 4 sources: train, match, cluster", "s"),
    ("million_of_splink", "the same beside Splink's own train, predict, cluster (at most 1.3)", "times"),
    ("million_mb", "its peak of memory (at most 1,500)", "MB"),
    ("million_f1", "F1 of its groups (at least .99)", ""),
    ("million_store_s", "its golden records in the store (at most 300)", "s"),
    ("upsert_p50_ms", "one durable upsert against them, median (at most 3)", "ms"),
    ("upsert_p99_ms", "its 99th percentile (at most 25)", "ms"),
    ("upserts_per_s", "upserts in batches (at least 700)", "/s"),
    ("score_missing", "pairs that real time misses (0)", ""),
    ("score_extra", "pairs that only real time has (0)", ""),
    ("score_max_diff", "greatest difference of weights (at most 1e-9)", "bits"),
    ("orders_identical", "random orders of arrival that give the same groups and values", ""),
    ("orders_told", "of so many orders told, each by three processes of which two are killed", ""),
    ("undo_identical", "sequences with a merge undone that equal those without it", ""),
    ("undo_told", "of so many sequences told", ""),
    ("undo_p99_ms", "an undo, 99th percentile (at most 50)", "ms"),
    ("decisions_overridden", "steward's decisions overridden (0)", ""),
    ("decisions_operations", "in so many operations", ""),
    ("hot_p99_ms", "upsert among 50,000 records of one phone number, 99th percentile (at most 50)", "ms"),
    ("lineage", "golden attributes with their lineage (1)", "share"),
    ("asof_identical", "as-of queries that give the stored hash (10,000)", ""),
    ("asof_p95_ms", "an as-of query, 95th percentile (at most 20)", "ms"),
)
SETS: tuple[tuple[str, str], ...] = (
    ("febrl4", "FEBRL4: pairs of two files (at least .9995)"),
    ("febrl3", "FEBRL3: groups of one file (at least .999)"),
    ("abt_buy", "Abt-Buy: one-to-one (at least .955)"),
    ("zh_companies", "Chinese companies: labelled pairs of names (at least .93)"),
    ("zh_companies_searched", "the same names, every one compared with every other"),
    ("unseen", "a synthetic set that nothing was tuned to, one file of customers in two scripts: groups"),
    ("unseen_two_files", "another, two files whose columns have other names: groups"),
)
BEGIN, END = "<!-- figures: benchmarks/matching.py -->", "<!-- end of figures -->"


def table(figures: Mapping[str, Any], machine: str) -> str:
    """The table in Markdown; a figure that was not measured has no row."""
    lines = ["| what (goal) | measured |", "|---|---|"]
    for key, told, unit in ROWS:
        if key in figures:
            lines.append(f"| {told} | {shown(figures[key])}{f' {unit}' if unit else ''} |")
    for key, told in SETS:
        found = figures.get("f1", {}).get(key)
        if found is not None:
            without = figures.get("f1_without_labels", {}).get(key)
            also = f" ({without:.4f} without labels)" if without is not None else ""
            lines.append(f"| F1 of {told} | {found:.4f}{also} |")
    day = datetime.now(UTC).date().isoformat()
    parts = (f"{name} {one['runs']}, {one['load']}" for name, one in sorted(figures.get("measured", {}).items()))
    told = f"Measured on {day}: {machine}. Runs of each part, and the load when it ended: {'; '.join(parts)}."
    return "\n".join([*lines, "", told])


def shown(value: Any) -> str:
    """A figure as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2g}" if abs(value) < 0.001 else f"{value:.4g}"
    return str(value)


def put(page: Path, figures: Mapping[str, Any], machine: str) -> None:
    """Write the table between its marks; figures that are not of this run go, so that all are of one machine."""
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{page} has no place for figures ({BEGIN})")
    made = f"{BEGIN}\n{table(figures, machine)}\n{END}"
    page.write_text(
        re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: made, text, flags=re.DOTALL), encoding="utf-8"
    )
