"""`landbridge quality …`: what the rules of a flow found, how they did over the runs, and trying them on one record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._context import of
from landbridge.cli._open import age, opened, paused_hint, show_table
from landbridge.cli._print import complain, counted, say, show_json
from landbridge.errors import Finding, Invalid, LandbridgeError

if TYPE_CHECKING:
    from uuid import UUID

    from landbridge.quality import Rules
    from landbridge.settings import Settings
    from landbridge.store._quality import Looked, Result

BARS = "▁▂▃▄▅▆▇█"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    quality = typer.Typer(no_args_is_help=True, help="Quality rules: results per run, trends, and trying them.")
    quality.command("show")(show)
    quality.command("page")(page)
    quality.command("run")(run)
    quality.command("test")(test)
    app.add_typer(quality, name="quality")


def show(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    runs: Annotated[int, typer.Option("--runs", min=1, max=100, help="Runs that the trend looks back on.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Print every run with its results as JSON.")] = False,
) -> None:
    """Show what each quality rule found when the gate last looked, and how it did over the runs before.

    The trend is the share of rows that broke the rule, the oldest run first: ▁ is none, █ is all of them.
    """
    from landbridge.store import quality as kept

    with opened(context) as installation:
        _rules(installation.settings, flow)
        with installation.store.reading() as connection:
            looked = kept.last_runs(connection, flow, runs)
            results = kept.results(connection, flow, [one.run for one in looked])
        now = installation.clock.now()
    if as_json:
        show_json([_run_as_json(one, results[one.run]) for one in looked])
        return
    if not looked:
        say(f"the gate has not looked at {flow} yet. `landbridge quality run {flow}` looks at what waits now.")
        return
    last = looked[0]
    say(f"{flow}: {last.outcome}, {counted(last.messages, 'message')}, {age(last.at, now)} ago ({last.rules}.yaml)")
    lines = [_line(result, _shares(result.rule, looked, results)) for result in results[last.run]]
    headings = ["rule", "severity", "rows", "broken", "%", "", "trend", ""]
    show_table(headings, lines, right=(2, 3, 4))
    if last.page:
        say(f"page: {installation.state / last.page}")


def _line(result: Result, shares: Sequence[float]) -> list[Any]:
    broken = result.observed if result.observed is not None else result.unexpected
    state = "ok" if result.success else "BROKEN" if result.severity == "critical" else "noted"
    share = f"{result.percent:.1f}"
    return [result.rule, result.severity, result.evaluated, broken, share, state, sparkline(shares), direction(shares)]


def _shares(rule: str, looked: Sequence[Looked], results: dict[UUID, list[Result]]) -> list[float]:
    """The share of broken rows in every run that knew the rule, the oldest first; a broken batch rule counts whole."""
    found = [one for run in reversed(looked) for one in results[run.run] if one.rule == rule]
    return [one.percent / 100 if one.observed is None else float(not one.success) for one in found]


def sparkline(shares: Sequence[float]) -> str:
    """Shares between 0 and 1 as bars; what is above 0 never looks like 0."""
    return "".join(BARS[0] if share <= 0 else BARS[max(1, min(7, round(share * 7)))] for share in shares)


def direction(shares: Sequence[float]) -> str:
    """Whether the last run broke a rule more often than the one before."""
    if len(shares) < 2 or shares[-1] == shares[-2]:
        return "→"
    return "↗ worse" if shares[-1] > shares[-2] else "↘ better"


def _run_as_json(looked: Looked, results: Sequence[Result]) -> dict[str, Any]:
    return {
        "run": str(looked.run),
        "at": looked.at,
        "outcome": looked.outcome,
        "messages": looked.messages,
        "invalid": looked.invalid,
        "page": looked.page,
        "results": [
            {
                "rule": one.rule,
                "type": one.type,
                "severity": one.severity,
                "evaluated": one.evaluated,
                "unexpected": one.unexpected,
                "percent": round(one.percent, 3),
                "success": one.success,
                "observed": one.observed,
                "sample": list(one.sample),
            }
            for one in results
        ],
    }


def page(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    back: Annotated[int, typer.Option("--back", min=0, help="So many runs before the last one.")] = 0,
) -> None:
    """Print where great-expectations' page of the last run stands: a file that any browser opens."""
    from landbridge.store import quality as kept

    with opened(context) as installation:
        _rules(installation.settings, flow)
        with installation.store.reading() as connection:
            looked = kept.last_runs(connection, flow, back + 1)
    if len(looked) <= back or not looked[back].page:
        raise LandbridgeError(
            f"there is no page of {flow} {f'{back} runs back' if back else 'yet'}.",
            hint=f"`landbridge quality run {flow}` looks at what waits now.",
        )
    say(str(installation.state / str(looked[back].page)))


def run(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Let the quality gate look at what waits for a flow, as its DAG does before it processes.

    What it finds wrong with single messages is acted on when they are processed. Exits with 1 if a critical rule is
    broken.
    """
    from landbridge.gate import look

    with opened(context) as installation:
        rules = _rules(installation.settings, flow)
        found = [one for one in look(installation, flow) if one.flow == flow]
        state = installation.state
    if as_json:
        show_json([_looked_as_json(one) for one in found])
    elif not found:
        say(f"nothing waits for {flow}; its {counted(len(rules.rules), 'rule')} were not asked.")
    else:
        (one,) = found
        say(f"{flow}: {one.outcome}, {counted(one.messages, 'message')} looked at")
        lines = [_line(result, [])[:6] for result in one.results]
        show_table(["rule", "severity", "rows", "broken", "%", ""], lines, right=(2, 3, 4))
        say(f"page: {state / one.page}")
        if one.stopped:
            complain(paused_hint(flow, one.reason))
    if any(one.outcome in ("quarantined", "stopped") for one in found):
        raise typer.Exit(1)


def _looked_as_json(one: Any) -> dict[str, Any]:
    results = [
        {
            "rule": result.rule,
            "severity": result.severity,
            "evaluated": result.evaluated,
            "unexpected": result.unexpected,
            "success": result.success,
            "sample": list(result.sample),
        }
        for result in one.results
    ]
    return {"run": str(one.run), "outcome": one.outcome, "messages": one.messages, "page": one.page, "results": results}


def test(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    file: Annotated[
        Path, typer.Argument(help="A record as the source sends it, in JSON.", exists=True, dir_okay=False)
    ],
    canonical: Annotated[bool, typer.Option("--canonical", help="The file holds a canonical body already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Hold one record to the rules of a flow, without a store and without any system.

    Exits with 1 if the flow would not let it go on.
    """
    from landbridge.quality import Checker

    settings = of(context).settings(offline=True)
    rules = _rules(settings, flow)
    body = _body(context, settings, flow, file, canonical=canonical)
    findings = Checker(rules)(body)
    held = [one for one in findings if not one.noted]
    if as_json:
        show_json({"held": bool(held), "findings": [one.as_dict() for one in findings]})
    else:
        _tell(rules, findings)
    if held and settings.flow(flow).check.on_fail != "warn":
        raise typer.Exit(1)


def _tell(rules: Rules, findings: Sequence[Finding]) -> None:
    for one in findings:
        hint = f" hint: {one.hint}" if one.hint else ""
        complain(f"{one.where}  {one.severity}: {one.path}: {one.message}.{hint}")
    asked = len(rules.rules) - len(rules.batch_only)
    left = f"; {counted(len(rules.batch_only), 'rule')} across a batch are the gate's" if rules.batch_only else ""
    say(f"{counted(asked, 'rule')}, {counted(len(findings), 'finding')}{left}.")


def _body(context: typer.Context, settings: Settings, flow: str, file: Path, *, canonical: bool) -> dict[str, Any]:
    from datetime import UTC, datetime

    from landbridge.cli._explain import read_record
    from landbridge.translator import Context

    record = read_record(file.read_bytes())
    system, entity = settings.flow(flow).feed
    if canonical:
        settings.canonical.check(entity, record)
        return record
    path = settings.mapping(system, entity)
    if path is None:
        raise LandbridgeError(
            f"{system} has no mapping for {entity}.", hint="`landbridge check` says where it belongs."
        )
    mapping = of(context).translator(settings.canonical).load_file(path)
    body = mapping.read(record, Context(system=system, now=datetime.now(UTC)))
    findings = settings.canonical.findings(entity, body)
    if findings:
        raise Invalid(findings)
    return body


def _rules(settings: Settings, flow: str) -> Rules:
    name = settings.flow(flow).check.quality
    if name == "none":
        raise LandbridgeError(
            f"{flow} has no quality rules.", hint=f"Write `check: {{quality: NAME}}` in config/flows/{flow}.yaml."
        )
    return settings.quality[name]
