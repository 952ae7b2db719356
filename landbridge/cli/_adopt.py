"""`landbridge adopt`: at cut-over, link what exists on both sides; nothing is written to any system."""

from __future__ import annotations

from typing import Annotated

import typer

from landbridge.cli._open import actor, opened, show_table
from landbridge.cli._print import complain, say, show_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("adopt")(adopt)


def adopt(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow whose records stand in its target already.")],
    match: Annotated[
        str,
        typer.Option(
            "--match",
            help="What both sides know a record by: a field (number), a path (identifiers[scheme=vat].value), "
            "or a scheme of identifiers (tax_id).",
        ),
    ],
    to: Annotated[str | None, typer.Option("--to", help="Only the route to this system; default: all.")] = None,
    target_field: Annotated[
        str | None,
        typer.Option("--target-field", help="The target's field; default: the one its mapping writes that value to."),
    ] = None,
    hold: Annotated[
        bool, typer.Option("--hold", help="Hold what has no candidate; otherwise the next run creates it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report: nothing is kept.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Link the records that exist on both sides. Nothing is written to any system, then or by the next run.

    The flow is paused meanwhile. Several candidates are a conflict for a person (exit code 1); none leaves the record
    open. From then on both sides count as equal: only what changes later is sent. Can be run again.
    """
    from landbridge.cli._bar import bar
    from landbridge.engine import adopt as run_adoption

    with opened(context) as installation:
        installation.settings.flow(flow)
        with bar(flow) as progress:
            done = run_adoption(
                installation.engine,
                flow,
                match,
                target=to,
                target_field=target_field,
                hold=hold,
                dry_run=dry_run,
                actor=actor(),
                progress=progress,
            )
    words = ("linked", "ambiguous", "no candidate", "no value")
    if as_json:
        show_json(
            [
                {"route": one.route, "field": one.target_field, "counts": {word: one.counts[word] for word in words},
                 "ambiguous": [{"record": key, "reason": why} for key, why in one.ambiguous], "missing": one.missing}
                for one in done
            ]
        )  # fmt: skip
    else:
        lines = [[one.route, one.target_field, *(one.counts[word] for word in words)] for one in done]
        show_table(["route", "field", *words], lines, right=range(2, 2 + len(words)))
        for one in done:
            for _, why in one.ambiguous:
                complain(why)
            if one.missing:
                more = one.counts["no candidate"] + one.counts["no value"] - len(one.missing)
                say(f"{one.route}: not found: {', '.join(one.missing)}{f' and {more} more' if more > 0 else ''}"
                    f"{' (held)' if hold else ' (the next run creates them)'}")  # fmt: skip
        if dry_run:
            say("Dry run: nothing was kept.")
    if any(one.counts["ambiguous"] for one in done):
        raise typer.Exit(1)
