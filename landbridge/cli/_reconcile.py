"""`landbridge reconcile`: what differs between the systems that no feed told, and sending it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._open import opened
from landbridge.cli._print import complain, say, show_json

if TYPE_CHECKING:
    from landbridge.reconcile import Report


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile)


def reconcile(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    apply: Annotated[bool, typer.Option("--apply", help="Send again what differs; without it, only report.")] = False,
    source_only: Annotated[
        bool, typer.Option("--source-only", help="With --apply: what differs in the targets is only reported.")
    ] = False,
    most: Annotated[
        float,
        typer.Option("--most", min=0, max=100, help="Send nothing if more than this per cent of the records are gone."),
    ] = 20,
    accept: Annotated[bool, typer.Option("--accept", help="Send however many records are gone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Compare what the source and the targets of a flow hold with what was received and delivered.

    Exits with 1 if something differs and was not sent, or if sending was refused.
    """
    from landbridge.reconcile import reconcile as compare

    with opened(context) as installation:
        installation.settings.flow(flow)
        report = compare(installation.engine, flow, apply=apply, targets=not source_only, most=most, accept=accept)
    if as_json:
        show_json(_as_json(report))
    else:
        _show(report)
    if report.refused or report.left:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    from landbridge.reconcile import KINDS

    counts = report.counts
    say(f"{report.flow}: {counts['known']} records of the source and {counts['linked']} of the targets compared.")
    for kind, meaning in KINDS.items():
        if counts[kind]:
            say(f"  {counts[kind]} {kind}: {meaning}")
            for one in report.samples[kind]:
                fields = ", ".join((one.detail or {}).get("fields", ()))
                say(f"    {one.source_key}{f' → {one.system} {one.id}' if one.id != one.source_key else ''}"
                    f"{f': {fields}' if fields else ''}")  # fmt: skip
    if not report.differences:
        say("Nothing differs.")
    elif report.applied:
        say(f"{counts['sent']} sent again.")
    for skipped in report.skipped:
        complain(skipped)
    if report.refused:
        complain(report.refused)
    elif report.left and not report.applied:
        complain(
            f"hint: what changed since the feed was last read counts too; landbridge reconcile {report.flow} --apply"
        )


def _as_json(report: Report) -> dict[str, Any]:
    from landbridge.reconcile import KINDS

    samples = {
        kind: [
            {
                "source_key": one.source_key,
                "system": one.system,
                "entity": one.entity,
                "id": one.id,
                **(one.detail or {}),
            }
            for one in found
        ]
        for kind, found in report.samples.items()
    }
    return {
        "run": report.run,
        "flow": report.flow,
        "applied": report.applied,
        "refused": report.refused or None,
        "differences": {kind: report.counts[kind] for kind in KINDS},
        "counts": dict(report.counts),
        "samples": samples,
        "skipped": report.skipped,
    }
