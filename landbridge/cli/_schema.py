"""`landbridge schema`: JSON Schemas, so that an editor completes and checks the YAML."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.cli._context import of
from landbridge.cli._print import say, show_json


class Kind(StrEnum):
    """The kinds of file that have a schema."""

    FLOW = "flow"
    SYSTEMS = "systems"
    ENVIRONMENT = "environment"
    OWNERSHIP = "ownership"
    QUALITY = "quality"
    INSTALLATION = "installation"
    MAPPING = "mapping"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(schema)


def schema(
    context: typer.Context,
    kind: Annotated[Kind | None, typer.Argument(help="Which file; without it all, with --write.")] = None,
    write: Annotated[Path | None, typer.Option("--write", help="Write a file KIND.json each into this folder.")] = None,
) -> None:
    """Print the JSON Schema of a kind of configuration file, or write all of them for an editor."""
    from landbridge.connector import Registry

    root, registry = of(context).root, of(context).registry or Registry()
    kinds = [kind] if kind else list(Kind)
    if write is None:
        if kind is None:
            raise typer.BadParameter("name one of " + ", ".join(Kind) + ", or give --write FOLDER.")
        show_json(schema_of(kind, registry, root))
        return
    import orjson

    write.mkdir(parents=True, exist_ok=True)
    for one in kinds:
        target = write / f"{one}.json"
        target.write_bytes(orjson.dumps(schema_of(one, registry, root), option=orjson.OPT_INDENT_2) + b"\n")
        say(str(target))


def schema_of(kind: Kind, registry: Any, root: Path) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of file; mappings complete the canonical fields of the project."""
    from landbridge.settings import schemas

    if kind is Kind.MAPPING:
        from landbridge.canonical import Canonical
        from landbridge.settings import Installation
        from landbridge.translator import schema as mapping_schema

        folder = root / Installation().schemas
        return dict(mapping_schema(Canonical.load(folder) if folder.is_dir() else None))
    made: dict[str, Any] = {
        Kind.FLOW: schemas.flow,
        Kind.SYSTEMS: lambda: schemas.systems(registry),
        Kind.ENVIRONMENT: lambda: schemas.environment(registry),
        Kind.OWNERSHIP: schemas.ownership,
        Kind.QUALITY: schemas.quality,
        Kind.INSTALLATION: schemas.installation,
    }[kind]()
    return made
