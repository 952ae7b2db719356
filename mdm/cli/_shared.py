"""Arguments and options that several commands of the steward take."""

from __future__ import annotations

from typing import Annotated

import typer

Entity = Annotated[str, typer.Argument(metavar="ENTITY", help="An entity of the hub, such as customer.")]
ShowPersonal = Annotated[bool, typer.Option("--show-personal", help="Show personal values instead of ***.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.")]
