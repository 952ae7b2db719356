"""`landbridge profile`: what the records of a system look like, and a first draft of their mapping."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._open import opened
from landbridge.cli._print import say, show_json, visible
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from landbridge.connector import Connector
    from landbridge.profile import Column, Profile


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("profile")(profile)


def profile(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="The system.")],
    entity: Annotated[str, typer.Argument(help="The canonical entity, as the connector offers it.")],
    sample: Annotated[int, typer.Option("--sample", min=1, help="Records to look at.")] = 1000,
    draft: Annotated[
        Path | None, typer.Option("--draft", help="Write a first mapping here; a file that is there is not touched.")
    ] = None,
    show_values: Annotated[
        bool,
        typer.Option("--show-values", help="Show every field's values, personal ones too; else codes and shapes."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Read some records and print, field by field, types, fill rate, lengths, spans and values; keep nothing.

    With --draft a mapping is begun: fields whose names say what they are, and what was seen of the rest as comments.
    """
    from landbridge.profile import draft as drafted
    from landbridge.profile import profiled

    with opened(context) as installation:
        installation.settings.system(system)
        if draft is not None and draft.exists():
            raise LandbridgeError(f"{draft} is there already.", hint="Give another name; nothing was read.")
        if draft is not None and entity not in installation.canonical:
            installation.canonical.schema(entity)  # says which there are
        connector = installation.systems[system]
        try:
            connector.entity(entity)
        except KeyError:
            offered = ", ".join(sorted(connector.entities)) or "what its configuration declares"
            raise LandbridgeError(f"{system} has no {entity}.", hint=f"It has: {offered}.") from None
        found = profiled(system, entity, islice(_bodies(connector, entity, sample), sample), connector.describe(entity))
        if draft is not None:
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(drafted(found, installation.canonical.fields(entity)), encoding="utf-8")
    if as_json:
        show_json(_as_json(found, show_values))
    else:
        _show(found, show_values)
    if draft is not None:
        say(f"{draft} is a draft: complete it, then run `landbridge check`.")


def _bodies(connector: Connector[Any], entity: str, sample: int) -> Iterator[dict[str, Any]]:
    with connector.only_looking():
        for page in connector.read(entity, None, limit=sample):
            for row in page.rows:
                if row.body is not None:
                    yield row.body


def _show(found: Profile, show_values: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False)
    for name in ("field", "type", "filled", "length", "from", "to", "values"):
        table.add_column(name, overflow="fold", justify="right" if name == "filled" else "left")
    for column in found.columns.values():
        table.add_row(
            visible(column.path), column.kind, f"{column.rate:.0%}", _length(column),
            visible(_bound(column.least, column)), visible(_bound(column.most, column)),
            visible(", ".join(_values(column, show_values))),
        )  # fmt: skip
    say(f"{found.system} {found.entity} ({found.native}): {found.records} records")
    Console(markup=False, highlight=False, soft_wrap=False).print(table)


def _length(column: Column) -> str:
    most = column.declared.length if column.declared is not None else None
    seen = "" if column.longest is None else f"{column.shortest}-{column.longest}"
    return f"{seen} of {most}" if most else seen


def _bound(value: Any, column: Column) -> str:
    return "" if value is None or column.kind in ("text", "mixed") else str(value)


def _values(column: Column, show: bool) -> list[str]:
    """The most frequent values of a code; of anything else the forms alone, unless they are asked for."""
    if show or column.codes or column.kind == "boolean":
        return [f"{value} ({count})" for value, count in column.values.most_common(5)]
    return [shape for shape, _ in column.shapes.most_common(3)] if column.kind in ("text", "mixed") else []


def _as_json(found: Profile, show_values: bool) -> dict[str, Any]:
    return {
        "system": found.system,
        "entity": found.entity,
        "native": found.native,
        "records": found.records,
        "fields": [
            {
                "path": column.path,
                "type": column.kind,
                "rate": round(column.rate, 4),
                "shortest": column.shortest,
                "longest": column.longest,
                "least": None if column.least is None else str(column.least),
                "most": None if column.most is None else str(column.most),
                "distinct": None if column.many else len(column.values),
                "values": _values(column, show_values),
            }
            for column in found.columns.values()
        ],
    }
