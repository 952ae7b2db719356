"""What the demonstration shows: bars while flows run, a table of what they did, and one order's way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from landbridge.demo._closing import Way

COLUMNS = ("created", "updated", "unchanged", "suppressed", "quarantined", "dead", "runs", "windows")
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
    """Per flow what became of its messages, and how many runs and windows of a worker moved them."""
    table = Table(title="What the flows did", title_justify="left")
    table.add_column("flow")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for flow in flows:
        counted = counts.get(flow, Counter())
        table.add_row(flow, *(str(counted[column]) for column in COLUMNS))
    return table


def way_table(way: Way) -> Table:
    """One order's way, hop by hop, with the milliseconds since it was closed."""
    table = Table(title=f"The way of order {way.number} (CRM {way.crm}, ERP {way.erp})", title_justify="left", box=None)
    for column in ("at", "ms", "step", "what"):
        table.add_column(column, justify="right" if column == "ms" else "left")
    for hop in way.hops:
        at = f"{hop.at:%H:%M:%S.%f}"[:-3] if hop.at else ""
        since = f"{(hop.at - way.began).total_seconds() * 1000:.0f}" if hop.at else ""
        table.add_row(at, since, hop.step, escape(hop.what))
    return table


def listed(console: Console, title: str, lines: list[str], *, style: str = "red") -> None:
    """A list for people, the first lines of it."""
    console.print(f"[{style}]{title}[/]")
    for line in lines[:_MOST_LINES]:
        console.print(f"  {line}", markup=False, highlight=False)
    if len(lines) > _MOST_LINES:
        console.print(f"  … and {len(lines) - _MOST_LINES} more")
