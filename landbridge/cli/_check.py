"""`landbridge check`: every problem of every file, without a network; `--live` also logs in to the systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli._context import Context, connect, of
from landbridge.cli._print import counted, problems_as_json, say, show_json, show_problems
from landbridge.errors import ConfigError, LandbridgeError, Problem

if TYPE_CHECKING:
    from landbridge.connector import Identity
    from landbridge.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    context: typer.Context,
    live: Annotated[
        bool, typer.Option("--live", help="Also log in to each system and ask who answers and which rights we have.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Report every problem of every file under config/ and mappings/ at once, with its place.

    Without --live nothing is contacted, and addresses and secrets need not be set.
    """
    options = of(context)
    problems, settings = found_problems(options, offline=not live)
    answers: dict[str, Identity] = {}
    if live and settings is not None:
        answers, refused = ask(settings)
        problems += refused
    if as_json:
        show_json({"problems": problems_as_json(problems), "systems": answers})
    elif problems:
        show_problems(problems)
    else:
        for name, identity in answers.items():
            say(f"{name} answers as {identity.organisation}{f' ({identity.user})' if identity.user else ''}")
        say(f"{_summary(options, settings)}: no problems.")
    if problems:
        raise typer.Exit(1)


def found_problems(options: Context, *, offline: bool) -> tuple[list[Problem], Settings | None]:
    """The problems of configuration and mappings together, sorted; the settings if they are right."""
    problems: list[Problem] = []
    settings = None
    try:
        settings = options.settings(offline=offline)
    except ConfigError as error:
        problems += error.problems
    problems += mapping_problems(options, settings)
    return sorted(set(problems)), settings


def mapping_problems(options: Context, settings: Settings | None) -> list[Problem]:
    """What is wrong in mappings, their tests, code lists and decision tables."""
    from landbridge.canonical import Canonical
    from landbridge.settings import Installation
    from landbridge.translator._tests import test_problems

    try:
        canonical = settings.canonical if settings else Canonical.load(options.root / Installation().schemas)
    except ConfigError:
        canonical = Canonical({})  # told by the settings already
    if not canonical.entities:
        return []
    translator = options.translator(canonical)
    mappings, problems = translator.try_load()
    problems += translator.tables.problems()
    for mapping in mappings:
        problems += test_problems(mapping)
    return problems


def ask(settings: Settings) -> tuple[dict[str, Identity], list[Problem]]:
    """Who answers at each system, and what keeps the others from it."""
    from landbridge.time import SystemClock

    answers: dict[str, Identity] = {}
    refused: list[Problem] = []
    for name in settings.systems:
        try:
            connector = connect(settings, name, SystemClock())
            try:
                answers[name] = connector.check()
            finally:
                connector.close()
        except LandbridgeError as error:
            refused.append(Problem("config/systems.yaml", 0, 0, f"{name}: {error.message}", error.hint))
    return answers, refused


def _summary(options: Context, settings: Settings | None) -> str:
    flows, systems = (len(settings.flows), len(settings.systems)) if settings else (0, 0)
    mappings = sum(1 for _ in (options.root / "mappings").rglob("*.yaml"))
    return f"{counted(flows, 'flow')}, {counted(systems, 'system')}, {counted(mappings, 'mapping')}"
