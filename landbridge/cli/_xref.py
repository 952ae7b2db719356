"""`landbridge xref`: which record here is which record there, and what a person corrects about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._open import actor, opened, show_table
from landbridge.cli._print import say, show_json
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from uuid import UUID


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="The cross-reference: which record here is which record there.")
    group.command("show")(show)
    group.command("link")(link)
    group.command("unlink")(unlink)
    app.add_typer(group, name="xref")


System = Annotated[str, typer.Argument(help="The system.")]
Entity = Annotated[str, typer.Argument(help="The canonical entity.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The record's id in that system.")]
Scope = Annotated[str, typer.Option("--scope", help="The organisation that the record is numbered in.")]


def show(
    context: typer.Context,
    system: System,
    entity: Entity,
    id_: Id,
    scope: Scope = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show every id of a record in every system, who linked it and which version was delivered there."""
    from landbridge.store import identity

    with opened(context) as installation:
        installation.settings.system(system)
        with installation.store.reading() as connection:
            found = identity.shown(connection, _subject(connection, system, entity, id_, scope))
    if as_json:
        show_json([dict(one._mapping) for one in found])
        return
    lines = [
        [one.system, one.entity, one.scope, one.id, one.linked_by, one.linked_at, one.delivered_version, one.subject]
        for one in found
    ]
    show_table(["system", "entity", "scope", "id", "linked by", "at", "version", "subject"], lines)


def link(
    context: typer.Context,
    system: System,
    entity: Entity,
    id_: Id,
    to: Annotated[str, typer.Option("--to", help="The other system.")],
    other: Annotated[str, typer.Option("--id", help="The record's id in the other system.")],
    scope: Scope = "",
    other_scope: Annotated[str, typer.Option("--to-scope", help="The organisation it is numbered in there.")] = "",
) -> None:
    """Say that a record here is that record there. Nothing is written to either; what waits for it goes on."""
    from landbridge.store import control, identity, operate
    from landbridge.store._identity import Key

    with opened(context) as installation:
        for name in (system, to):
            installation.settings.system(name)
        who, now = actor(), installation.clock.now()
        key = Key(to, entity, other_scope, other)
        with installation.store.transaction("link") as connection:
            subject = _subject(connection, system, entity, id_, scope)
            standing = identity.lookup(connection, {key}).get(key)
            if standing is not None and standing.subject != subject:
                raise LandbridgeError(
                    f"{to} {entity} {other} is linked already, to {_names(connection, standing.subject)}.",
                    hint=f"If that is wrong: landbridge xref unlink {to} {entity} {other}",
                )
            held = identity.links(connection, to, {subject}).get(subject)
            if standing is None and held is not None:
                raise LandbridgeError(
                    f"{system} {entity} {id_} is linked to {to} {held.id} already.",
                    hint=f"If that is wrong: landbridge xref unlink {to} {entity} {held.id}",
                )
            identity.link(connection, [(key, subject)], now, "person")
            operate.wake(connection, to, [subject], now)
            detail = {"entity": entity, "id": other, "as": f"{system} {id_}"}
            control.note(connection, "linked", who, now, system=to, subject=subject, detail=detail)
    say(f"{system} {entity} {id_} is {to} {other}.")


def unlink(context: typer.Context, system: System, entity: Entity, id_: Id, scope: Scope = "") -> None:
    """Take a record out of the cross-reference, after a wrong link. The next delivery creates a record again."""
    from landbridge.store import control, operate
    from landbridge.store._identity import Key

    with opened(context) as installation:
        installation.settings.system(system)
        who, now = actor(), installation.clock.now()
        with installation.store.transaction("unlink") as connection:
            _subject(connection, system, entity, id_, scope)
            subject = operate.unlink(connection, Key(system, entity, scope, id_))
            detail = {"entity": entity, "id": id_, "scope": scope}
            control.note(connection, "unlinked", who, now, system=system, subject=subject, detail=detail)
    say(f"{system} {entity} {id_} is linked no more; it was subject {subject}.")


def _subject(connection: Any, system: str, entity: str, id_: str, scope: str) -> UUID:
    from landbridge.store import identity, operate
    from landbridge.store._identity import Key

    key = Key(system, entity, scope, id_)
    who = identity.lookup(connection, {key}).get(key)
    if who is not None:
        return who.subject
    elsewhere = [one.scope or "(none)" for one in operate.scopes(connection, system, entity, id_)]
    raise LandbridgeError(
        f"{system} {entity} {id_} is not in the cross-reference.",
        hint=f"It is numbered in {', '.join(elsewhere)}: give --scope." if elsewhere else f"landbridge trace {id_}",
    )


def _names(connection: Any, subject: UUID) -> str:
    from landbridge.store import control

    return " / ".join(f"{one.system} {one.id}" for one in control.names(connection, subject)) or str(subject)
