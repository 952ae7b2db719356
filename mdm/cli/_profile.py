"""`landbridge mdm profile`: what the columns of unknown records hold, and a first declaration for matching them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli import say
from landbridge.errors import LandbridgeError
from mdm.cli._evaluate import Answer, Cluster, Encoding, Folder, Id, Label, Records


def profile(
    folder: Folder,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the declaration here; a file that is there is not touched.")
    ] = None,
    entity: Annotated[str, typer.Option("--entity", help="What the records are, such as customer.")] = "record",
    records: Records = None,
    truth: Answer = "",
    cluster: Cluster = "",
    id_: Id = "",
    label: Label = "",
    encoding: Encoding = None,
) -> None:
    """Look at records never seen and propose how to match them: columns, comparisons, blocks, thresholds.

    Nothing of a truth that lies beside the records is used, and ids of rows are left out. The proposal is printed, or
    written with --write; `landbridge mdm evaluate` then tells how good it is.
    """
    from mdm.evaluate import Asked, tables, understand
    from mdm.profile import propose

    if write is not None and write.exists():
        raise LandbridgeError(f"{write} is there already.", hint="Give another name; nothing was read.")
    asked = Asked(tuple(records or ()), truth, cluster, id_, label)
    known = understand(tables(folder, encoding), asked, truth=False)
    told = f"{len(known.records)} records of {' and '.join(known.sources)}"
    found = propose(known.records, known.source_of, known.header, entity=entity, hidden=sorted(known.hidden), told=told)
    if write is None:
        for line in found.text.splitlines():
            say(line)
        return
    write.parent.mkdir(parents=True, exist_ok=True)
    write.write_text(found.text, encoding="utf-8")
    for one in found.seen:
        say(f"{one.name:24} {one.kind:14} {one.filled:6.1%} filled, {one.distinct:,} different ({one.why})")
    say(f"{write} is a proposal: look at it, then run `landbridge mdm evaluate {folder}`.")
