"""`landbridge mdm evaluate`: precision, recall and F1 of a declaration on records whose truth is known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli import say
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from mdm.declaration import Declaration
    from mdm.evaluate import Truth

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Records as one or two CSV files, and their truth.")]
Records = Annotated[
    list[str] | None, typer.Option("--records", help="A file of records, once or twice; default: found in the folder.")
]
Answer = Annotated[str, typer.Option("--truth", help="The file with pairs of ids, or with id and cluster.")]
Cluster = Annotated[str, typer.Option("--cluster", help="The column that says which records are one.")]
Id = Annotated[str, typer.Option("--id", help="The column that the truth refers to.")]
Label = Annotated[str, typer.Option("--label", help="The column that says yes or no of a pair.")]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Of all files; default: UTF-8, or as their mark says.")
]


def evaluate(
    folder: Folder,
    declaration: Annotated[
        Path | None, typer.Option("--declaration", help="The declaration; default: the one YAML file of the folder.")
    ] = None,
    records: Records = None,
    truth: Answer = "",
    cluster: Cluster = "",
    id_: Id = "",
    label: Label = "",
    encoding: Encoding = None,
    one_to_one: Annotated[
        bool, typer.Option("--one-to-one", help="Each record of one file is at most one of the other.")
    ] = False,
    search: Annotated[
        bool, typer.Option("--search", help="Search a file of pairs: every record against every other.")
    ] = False,
    errors: Annotated[int, typer.Option("--errors", min=0, help="How many errors of each kind to show.")] = 5,
) -> None:
    """Match records whose truth is known, and tell how much of it was found and how much of what was found is true.

    The truth is a file of pairs of ids, a file of ids with their cluster, a column `cluster` of the records, or a file
    of pairs of records with a label. Nothing of it is used for training; where a threshold is chosen, it is chosen on
    one half and scored on the other. The last line is one JSON object.
    """
    from mdm.evaluate import Asked, lines, searched, tables, understand
    from mdm.evaluate import evaluate as evaluated

    asked = Asked(tuple(records or ()), truth, cluster, id_, label)
    known = understand(tables(folder, encoding), asked)
    known = searched(known) if search else known
    report = evaluated(known, _declared(folder, declaration, known), one_to_one=one_to_one, looks=errors)
    for line in lines(report):
        say(line)
    import orjson

    say()
    sys.stdout.write(orjson.dumps(report.as_dict()).decode() + "\n")


def _declared(folder: Path, given: Path | None, truth: Truth) -> Declaration:
    from mdm.declare import read

    found = [given] if given is not None else sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml"))
    if not found:
        hint = f"Let one be proposed: landbridge mdm profile {folder} --write {folder / 'declaration.yaml'}"
        raise LandbridgeError(f"{folder} holds no declaration (a YAML file).", hint=hint)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise LandbridgeError(f"which of these is the declaration? {names}", hint="Name it: --declaration FILE.")
    return read(found[0], header=truth.header)
