"""What the demonstration shows: bars while flows run, a table of what they did, and one order's way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

COLUMNS = ("read", "created", "updated", "unchanged", "quarantined", "dead")
_MOST_LINES = 25


def bars(console: Console) -> Progress:
    """Progress bars of flows: messages delivered of those received."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=36),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        console=console,
    )


def counts_table(counts: Mapping[str, Counter[str]], flows: Iterable[str]) -> Table:
    """Per flow: read, created, updated, unchanged, quarantined, dead."""
    table = Table(title="What the flows did", title_justify="left")
    table.add_column("flow")
    for column in (*COLUMNS, "runs"):
        table.add_column(column, justify="right")
    for flow in flows:
        counted = counts.get(flow, Counter())
        table.add_row(flow, *(str(counted[column]) for column in (*COLUMNS, "runs")))
    return table


def journey_table(rows: Iterable[Any], title: str) -> Table:
    """One record's way: what came, from where, what was done with it, and what the target answered."""
    table = Table(title=title, title_justify="left")
    for column in ("received", "from", "flow", "to", "version", "became", "there it is", "attempt", "ms"):
        table.add_column(column, justify="right" if column in ("version", "ms") else "left")
    for row in rows:
        attempt = f"{row.outcome} {row.status or ''}".strip() if row.outcome else ""
        table.add_row(
            f"{row.received_at:%H:%M:%S.%f}"[:-3],
            f"{row.source} {row.action}",
            row.flow or "",
            row.target or "",
            str(row.version or ""),
            f"{row.state or 'received'}{f' ({row.code})' if row.code else ''}",
            row.target_id or "",
            attempt,
            str(row.milliseconds if row.milliseconds is not None else ""),
        )
    return table


def listed(console: Console, title: str, lines: list[str], *, style: str = "red") -> None:
    """A list for people, the first lines of it."""
    console.print(f"[{style}]{title}[/]")
    for line in lines[:_MOST_LINES]:
        console.print(f"  {line}", markup=False, highlight=False)
    if len(lines) > _MOST_LINES:
        console.print(f"  … and {len(lines) - _MOST_LINES} more")
