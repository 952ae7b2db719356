"""How golden records and doubts are shown: records side by side, lineage, and the waterfall of a weight."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

_ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("name", "name", ("name",)),
    ("street", "addresses", ("addresses[0].street",)),
    ("city", "addresses", ("addresses[0].postal_code", "addresses[0].city")),
    ("telephone", "phones", ("phones[0].number",)),
    ("e-mail", "emails", ("emails[0].address",)),
)
"""What is shown: the word for it, the attribute that survivorship decides, and where a record says it."""


def golden_table(names: Mapping[str, str], told: Mapping[str, Mapping[str, Any]], golden: Any) -> Table:
    """Records of one customer, by `system:key`, beside their golden record and where each of its values came from."""
    table = Table(title=f"{golden['values']['name']}: golden {golden['id']}", title_justify="left", box=None)
    table.add_column("")
    for record in told:
        system = record.partition(":")[0]
        table.add_column(names[system], overflow="fold")
    table.add_column("golden record", overflow="fold", style="green")
    table.add_column("from (by rule)", overflow="fold")
    for word, attribute, paths in _ROWS:
        ours = _said(_flat(golden["values"]), paths)
        cells = [_marked(_said(fields, paths), ours) for fields in told.values()]
        table.add_row(word, *cells, escape(ours), escape(_origin(golden, attribute, len(names))))
    ids = [escape(record) for record in told]
    table.add_row("id", *ids, "one customer", "cross-reference")
    return table


def doubt_table(pair: Any) -> Table:
    """The waterfall of two records: what each column says for or against, in bits, down to the sum."""
    a, b = pair["a"], pair["b"]
    table = Table(box=None)
    table.add_column("bits", justify="right")
    for column in ("column", "they", a["named"], b["named"]):
        table.add_column(column)
    for step in pair["steps"]:
        bits = step["bits"] + step["rarity_bits"]
        if bits:
            cells = (step["column"], step["agreement"], _text(step["a"]), _text(step["b"]))
            table.add_row(f"{bits:+.2f}", *(escape(cell) for cell in cells))
    table.add_row(f"{pair['weight']:+.2f}", "sum", "", "", "")
    return table


def doubt_line(asked: Any) -> str:
    """A line of the steward's queue."""
    a, b = asked["a"], asked["b"]
    weight = f"{asked['words']}, {asked['weight']:.1f} bits"
    return f"  {a['named']} {a['name']}  and  {b['named']} {b['name']}: {weight}"


def steward_commands(state: Path, a: str, b: str) -> list[str]:
    """How a reader looks at the pair and decides it, in another terminal."""
    program = _short(Path(sys.argv[0]).absolute())
    program = program if program.endswith("landbridge") else "landbridge"
    return [
        "  Yours to decide while the demonstration is up, in another terminal:",
        f"    . {_short(state / 'environment')}",
        f"    {program} steward show customer {a} {b} --show-personal",
        f"    {program} steward decide customer same {a} {b}        (or different; steward undo takes it back)",
    ]


def _said(fields: Mapping[str, Any], paths: tuple[str, ...]) -> str:
    return " ".join(str(fields[path]) for path in paths if fields.get(path))


def _marked(said: str, ours: str) -> str:
    return escape(said) if said == ours else f"[yellow]≠ {escape(said)}[/]" if said else "[dim]not known[/]"


def _origin(golden: Any, attribute: str, systems_there: int) -> str:
    """The systems whose records gave an attribute its value, and the rule that chose them."""
    for one in golden["attributes"]:
        if one["attribute"] == attribute:
            systems = list(dict.fromkeys(winner.partition(":")[0] for winner in one["winners"]))
            told = "each" if len(systems) == systems_there > 1 else ", ".join(systems)
            return f"{told} ({one['rule']})"
    return "nobody"


def _flat(values: Any, path: str = "") -> dict[str, Any]:
    if isinstance(values, Mapping):
        parts = [(f"{path}.{name}" if path else str(name), value) for name, value in values.items()]
    elif isinstance(values, list):
        parts = [(f"{path}[{number}]", value) for number, value in enumerate(values)]
    else:
        return {path: values}
    return {name: value for path, part in parts for name, value in _flat(part, path).items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
