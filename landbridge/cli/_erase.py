"""`landbridge erase`: a person's right that nothing is kept of what was said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli._open import actor, opened
from landbridge.cli._print import complain, counted, say
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from uuid import UUID

    from landbridge.installation import Installation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("erase")(erase)


def erase(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="A system that knows the record.")],
    entity: Annotated[str, typer.Argument(help="The canonical entity.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="The record's id in that system.")],
    scope: Annotated[str, typer.Option("--scope", help="The organisation that the record is numbered in.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every record of its golden record, in whatever system.")] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is kept with the erasure, so name nobody in it.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only what would be erased is named.")] = False,
) -> None:
    """Erase what is kept of a record: bodies, shadows, golden values, reasons. Ids, envelopes and counts stay.

    It cannot be taken back. Have it deleted in its systems first: what they send again is kept again. Documents that
    refer to it, such as orders, are records of their own.
    """
    from landbridge.engine import erase as erased
    from landbridge.store import erasure

    with opened(context) as installation:
        installation.settings.system(system)
        records, others = _records(installation, system, entity, id_, scope, all_)
        parts = installation.engine.parts
        with installation.store.reading() as connection:
            names, beside = erasure.named(connection, records), erasure.named(connection, others)
        if not yes:
            say(f"would be erased: {', '.join(names)}")
        else:
            with installation.store.transaction("erase") as connection:
                done = erased(connection, parts, entity, records, actor=actor(), reason=reason)
            counts = done.counts
            say(f"erased: {', '.join(names)}")
            say(
                f"{counted(counts.bodies, 'body')}, {counted(counts.shadows, 'shadow')}, "
                f"{counted(done.golden, 'golden record')}; {counted(counts.suppressed, 'delivery')} "
                "that had not left never will."
            )
    if beside:
        complain(f"the same golden record holds {', '.join(beside)}; --all erases them too.")
    if not yes:
        complain("nothing was erased; --yes does it, and it cannot be taken back.")


def _records(
    installation: Installation, system: str, entity: str, id_: str, scope: str, all_: bool
) -> tuple[list[UUID], list[UUID]]:
    """The records to be erased, and those beside them that are not."""
    from landbridge.store import erasure, identity
    from landbridge.store._identity import Key

    key = Key(system, entity, scope, id_)
    with installation.store.reading() as connection:
        who = identity.lookup(connection, {key}).get(key)
        if who is None:
            raise LandbridgeError(f"{system} {entity} {id_} is not known here.", hint="Look at the id and --scope.")
        group = erasure.group(connection, who.record)
    return (group, []) if all_ else ([who.record], [one for one in group if one != who.record])
