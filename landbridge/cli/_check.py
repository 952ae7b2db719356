"""`landbridge check`: every problem of every file, without a network; `--live` also logs in to the systems."""

from __future__ import annotations

from typing import Annotated

import typer

from landbridge.cli._context import of
from landbridge.cli._findings import Findings, look
from landbridge.cli._print import complain, counted, problems_as_json, say, show_json, show_problems


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    context: typer.Context,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Also log in to each system: who answers, which rights we have, which fields are there."
        ),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as problems.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Report every problem of every file under config/ and mappings/ at once, with its place.

    Without --live no system is contacted, and addresses and secrets need not be set; a store that runs is asked whether
    the models of the hub fit what config/mdm declares. With --live, what changed at the
    systems since the last time is told, and a route whose mapping needs a field that is gone, renamed, shortened or
    retyped is paused until the field is back or the mapping is mended.
    """
    found = look(of(context), live=live)
    bad = bool(found.problems) or (strict and bool(found.warnings))
    if as_json:
        show_json(
            {
                "problems": problems_as_json(found.problems),
                "warnings": problems_as_json(found.warnings),
                "systems": found.answers,
                "news": found.news,
            }
        )
    else:
        _show(found)
    if bad:
        raise typer.Exit(1)


def _show(found: Findings) -> None:
    for name, identity in found.answers.items():
        say(f"{name} answers as {identity.organisation}{f' ({identity.user})' if identity.user else ''}")
    for line in found.news:
        say(line)
    for one in found.warnings:
        where = f"{one.file}:{one.line}:{one.column}" if one.line else one.file
        complain(f"{where}  warning: {one.message}{f' {one.hint}' if one.hint else ''}")
    if found.problems:
        show_problems(found.problems)
        return
    settings = found.settings
    flows, systems = (len(settings.flows), len(settings.systems)) if settings else (0, 0)
    summary = f"{counted(flows, 'flow')}, {counted(systems, 'system')}, {counted(found.mappings, 'mapping')}"
    say(f"{summary}: {counted(len(found.warnings), 'warning') if found.warnings else 'no problems'}.")
