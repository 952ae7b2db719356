"""`landbridge schema`: JSON Schemas, so that an editor completes and checks the YAML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.cli._context import of
from landbridge.cli._plugged import SCHEMAS, names, plugged
from landbridge.cli._print import say, show_json

KINDS = ("flow", "systems", "environment", "ownership", "quality", "installation", "mapping")
"""The kinds of file that the kernel reads; packages beside it add theirs."""


def kinds() -> list[str]:
    """Every kind of file that has a schema."""
    return [*KINDS, *names(SCHEMAS)]


_HELP = f"Which file ({', '.join(kinds())}); without it all, with --write."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(schema)


def schema(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(help=_HELP)] = None,
    write: Annotated[Path | None, typer.Option("--write", help="Write a file KIND.json each into this folder.")] = None,
) -> None:
    """Print the JSON Schema of a kind of configuration file, or write all of them for an editor."""
    from landbridge.connector import Registry

    root, registry = of(context).root, of(context).registry or Registry()
    if kind is not None and kind not in kinds():
        raise typer.BadParameter(f"'{kind}' has no schema; name one of {', '.join(kinds())}.")
    if write is None:
        if kind is None:
            raise typer.BadParameter("name one of " + ", ".join(kinds()) + ", or give --write FOLDER.")
        show_json(schema_of(kind, registry, root))
        return
    import orjson

    write.mkdir(parents=True, exist_ok=True)
    for one in [kind] if kind else kinds():
        target = write / f"{one}.json"
        target.write_bytes(orjson.dumps(schema_of(one, registry, root), option=orjson.OPT_INDENT_2) + b"\n")
        say(str(target))


def schema_of(kind: str, registry: Any, root: Path) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of file; mappings complete the canonical fields of the project."""
    from landbridge.settings import schemas

    if kind == "mapping":
        from landbridge.canonical import Canonical
        from landbridge.settings import Installation
        from landbridge.translator import schema as mapping_schema

        folder = root / Installation().schemas
        return dict(mapping_schema(Canonical.load(folder) if folder.is_dir() else None))
    made: dict[str, Callable[[], dict[str, Any]]] = {
        "flow": schemas.flow,
        "systems": lambda: schemas.systems(registry),
        "environment": lambda: schemas.environment(registry),
        "ownership": schemas.ownership,
        "quality": schemas.quality,
        "installation": schemas.installation,
        **dict(plugged(SCHEMAS)),
    }
    return made[kind]()
