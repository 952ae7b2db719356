"""`landbridge mdm` and `landbridge steward`: how records are matched, and what people decide about them."""

from __future__ import annotations

import typer

from mdm.cli import _steward
from mdm.cli._evaluate import evaluate
from mdm.cli._load import load
from mdm.cli._profile import profile
from mdm.cli._train import adopt_model, train

PANEL = "Golden records"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Golden records: propose and judge how records are matched.")
    group.command("profile")(profile)
    group.command("evaluate")(evaluate)
    group.command("load")(load)
    group.command("train")(train)
    group.command("adopt-model")(adopt_model)
    app.add_typer(group, name="mdm", rich_help_panel=PANEL)
    app.add_typer(_steward.group(), name="steward", rich_help_panel=PANEL)
