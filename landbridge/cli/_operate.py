"""What an operator asks and decides about flows and systems: status, pause, bindings, accounting, retention."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._open import actor, age, opened, paused_hint, show_table, told
from landbridge.cli._print import complain, counted, say, show_json
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from landbridge.installation import Installation
    from landbridge.settings import Flow, Settings
    from landbridge.store._breaker import Standing


STATES = ("delivered", "suppressed", "dead", "discarded", "quarantined", "conflict", "steward", "in_flight")
"""The right side of the accounting's equation."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("accounting")(accounting)
    app.command("rebind")(rebind)
    app.command("cursor")(cursor)
    app.command("retention")(retention)
    snapshot = typer.Typer(no_args_is_help=True, help="Snapshots: readings of a whole scope, taken whole or refused.")
    snapshot.command("accept")(accept)
    app.add_typer(snapshot, name="snapshot")


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show where the messages of every flow stand, which flows and routes are paused, and how each ran last."""
    from landbridge.store import breakers, control, figures, operate

    with opened(context) as installation:
        installation.engine  # noqa: B018 - flows are made known to the store
        now = installation.clock.now()
        with installation.store.transaction("status") as connection:
            control.interrupt_runs(connection, now)
        with installation.store.reading() as connection:
            flows, routes = operate.standing(connection), control.paused_routes(connection)
            hour, standing = figures.last_hour(connection, now), breakers.standing(connection)
        counts = _by_flow(installation.engine.accounting())
        known = installation.settings.flows
    shown = [
        _state(row, counts.get(row.flow, Counter()), now, routes, configured=row.flow in known)
        | _pace(row, hour.get(row.flow, {}), now)
        | {"left_alone": _left_alone(known.get(row.flow), standing, now)}
        for row in flows
    ]
    if as_json:
        show_json(shown)
        return
    words = ("received", *(word for word in STATES if word not in ("discarded", "steward")))
    headings = ["flow", "state", *(word.replace("_", " ") for word in words), "lag", "oldest open", "delivered/h",
                "failed/h", "error rate", "last run", "last reconcile"]  # fmt: skip
    last = ("lag", "oldest", "delivered_last_hour", "failed_last_hour", "errors", "run", "reconcile")
    lines = [[one["flow"], one["state"], *(one[word] for word in (*words, *last))] for one in shown]
    show_table(headings, lines, right=range(2, 2 + len(words)))
    for one in shown:
        if one["reason"]:
            complain(paused_hint(one["flow"], one["reason"]))
        for route, reason in one["paused_routes"].items():
            complain(paused_hint(route, reason))
    for said in dict.fromkeys(said for one in shown for said in one["left_alone"].values()):
        complain(said)


def _left_alone(flow: Flow | None, standing: Mapping[str, Standing], now: datetime) -> dict[str, str]:
    """The targets of a flow that fail so that nothing is sent to them, with what there is to know."""
    found = {}
    for system in sorted({route.to for route in flow.deliver} & standing.keys()) if flow is not None else ():
        one = standing[system]
        if one.open_until is None:
            continue
        wait = f"until {one.open_until:%H:%M:%S} UTC, then" if one.state(now) == "open" else "and now"
        since = f"{one.failures} times in a row since {one.since:%Y-%m-%d %H:%M}"
        found[system] = f"{system} failed {since}: it is left alone {wait} one message is let through. {one.reason}"
    return found


def _by_flow(rows: list[Any]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        counts = found.setdefault(row.flow, Counter())
        counts.update({word: getattr(row, word) for word in ("received", *STATES)})
    return found


def _state(
    row: Any, counts: Counter[str], now: datetime, routes: dict[str, dict[str, str]], *, configured: bool
) -> dict[str, Any]:
    open_since = min((at for at in (row.oldest_queued, row.oldest_received) if at is not None), default=None)
    run = "never" if row.run_state is None else f"{row.run_state} {age(row.run_ended or row.run_started, now)} ago"
    stopped = {key: " ".join(said.values()) for key, said in routes.items() if key.partition("/")[0] == row.flow}
    state = "paused" if row.paused else "partly paused" if stopped else "active"
    return {
        "flow": row.flow,
        "state": state if configured or row.paused else "removed",
        **{word: counts[word] for word in ("received", *STATES)},
        "oldest": age(open_since, now),
        "oldest_open_seconds": None if open_since is None else int((now - open_since).total_seconds()),
        "run": run,
        "last_run": None
        if row.run_state is None
        else {"state": row.run_state, "started_at": row.run_started, "counts": row.run_counts, "error": row.run_error},
        "paused": row.paused,
        "reason": row.pause_reason if row.paused else None,
        "paused_routes": stopped,
    }


def _pace(row: Any, hour: dict[str, int], now: datetime) -> dict[str, Any]:
    """How far behind a flow is, what it moved in the last hour, and what its last reconcile found."""
    from landbridge.store._figures import FAILED, KINDS, WRITTEN

    delivered, failed = (sum(hour.get(word, 0) for word in words) for words in (WRITTEN, FAILED))
    found = sum((row.reconciled_counts or {}).get(kind, 0) for kind in KINDS)
    said = "never" if row.reconciled_state is None else f"{found} differ, {age(row.reconciled_at, now)} ago"
    return {
        "lag": age(row.oldest_received, now),
        "lag_seconds": None if row.oldest_received is None else int((now - row.oldest_received).total_seconds()),
        "delivered_last_hour": delivered,
        "failed_last_hour": failed,
        "error_rate": (rate := round(failed / (delivered + failed), 4) if delivered + failed else 0.0),
        "errors": f"{rate:.1%}" if delivered + failed else "",
        "reconcile": said if row.reconciled_state != "failed" else f"failed, {age(row.reconciled_at, now)} ago",
        "last_reconcile": None
        if row.reconciled_state is None
        else {
            "state": row.reconciled_state, "started_at": row.reconciled_at, "counts": row.reconciled_counts,
            "error": row.reconciled_error,
        },
    }  # fmt: skip


def pause(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FLOW", help="The flow, one route of it as flow/system, or a system.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; everybody who looks at the flow reads it.")] = "",
) -> None:
    """Stop a flow's deliveries, or those of one route. Its feed goes on being received: nothing is lost.

    `resume` delivers what waited. A route is named as `accounting` shows it, such as orders_to_erp/erp.
    """
    from landbridge.store import control

    with opened(context) as installation:
        who, now = actor(), installation.clock.now()
        why = reason or f"paused by {who}"
        if _is_system(installation.settings, name):
            _pause_system(installation, name, why, who)
            return
        flow = _flow_or_route(installation.settings, name)
        with installation.store.transaction("pause") as connection:
            if flow == name:
                fresh = control.pause(connection, flow, why, now)
                held = control.paused(connection)[flow]
            else:
                held = control.paused_routes(connection).get(name, {}).get("person", why)
                fresh = control.pause_route(connection, name, "person", held, now)
            if fresh:
                detail = {"reason": why} | ({} if flow == name else {"route": name})
                control.note(connection, "paused", who, now, flow=flow, detail=detail)
    say(f"{name} is paused." if fresh else f"{name} was paused already: {held}")


def resume(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FLOW", help="The flow, one route of it as flow/system, or a system.")],
) -> None:
    """Let a paused flow or route deliver again; what had changed at a system is accepted with that.

    A flow's name resumes all of it. A route that drift paused runs although the change stands, until another comes.
    """
    from landbridge.store import control, drift

    with opened(context) as installation:
        who, now = actor(), installation.clock.now()
        if _is_system(installation.settings, name):
            _resume_system(installation, name, who)
            return
        flow = _flow_or_route(installation.settings, name)
        was: list[str] = []
        with installation.store.transaction("resume") as connection:
            reason = control.paused(connection).get(flow)
            if reason is not None and flow == name:
                control.resume(connection, flow, now)
                control.note(connection, "resumed", who, now, flow=flow, detail={"was": reason})
                was.append(reason)
            for route, causes in control.paused_routes(connection).items():
                if route != name and not (flow == name and route.startswith(f"{flow}/")):
                    continue
                for cause, said in causes.items():
                    control.resume_route(connection, route, cause)
                    control.note(connection, "resumed", who, now, flow=flow, detail={"route": route, "was": said})
                    was.append(said)
                for one in drift.accept(connection, route):
                    detail = {"route": route, "entity": one.entity, "message": one.message}
                    control.note(connection, "drift_accepted", who, now, flow=flow, system=one.system, detail=detail)
    say(f"{name} runs again; it was paused: {' '.join(was)}" if was else f"{name} was not paused.")
    if reason is not None and flow != name:
        complain(paused_hint(flow, reason))


def _is_system(settings: Settings, name: str) -> bool:
    return name in settings.systems and name not in settings.flows


def _routes_to(settings: Settings, system: str) -> list[tuple[str, str]]:
    """The (flow, route key) of every route to a system."""
    return [
        (flow.flow, flow.route_key(route))
        for flow in settings.flows.values()
        for route in flow.deliver
        if route.to == system
    ]


def _pause_system(installation: Installation, system: str, why: str, who: str) -> None:
    from landbridge.store import control

    now, routes = installation.clock.now(), _routes_to(installation.settings, system)
    with installation.store.transaction("pause") as connection:
        for flow, route in routes:
            if control.pause_route(connection, route, "system", f"{system} is paused: {why}", now):
                detail = {"reason": why, "route": route}
                control.note(connection, "paused", who, now, flow=flow, system=system, detail=detail)
    say(f"{system} is paused: {counted(len(routes), 'route')} to it.")


def _resume_system(installation: Installation, system: str, who: str) -> None:
    from landbridge.store import control

    now, resumed = installation.clock.now(), 0
    with installation.store.transaction("resume") as connection:
        for flow, route in _routes_to(installation.settings, system):
            if control.resume_route(connection, route, "system"):
                control.note(connection, "resumed", who, now, flow=flow, system=system, detail={"route": route})
                resumed += 1
    say(f"{system} runs again: {counted(resumed, 'route')} to it." if resumed else f"{system} was not paused.")


def _flow_or_route(settings: Settings, name: str) -> str:
    """The flow that a name of a flow or route belongs to; ConfigError if there is none."""
    if "/" in name:
        return settings.route(name)[0].flow
    return settings.flow(name).flow


def accounting(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Hold the store to its equation: every message that came in stands in exactly one place on every route.

    received = delivered + suppressed + dead + discarded + quarantined + conflict + with steward + in flight.
    Exits with 1 where that does not hold, and names the messages.
    """
    from landbridge.store import operate

    with opened(context) as installation:
        rows = installation.engine.accounting()
        broken = [row for row in rows if row.received != sum(getattr(row, state) for state in STATES)]
        with installation.store.reading() as connection:
            lost = operate.lost(connection)
    words = ("received", *STATES)
    if as_json:
        shown = [{"route": row.route, "flow": row.flow, **{word: getattr(row, word) for word in words}} for row in rows]
        show_json({"holds": not (broken or lost), "routes": shown, "lost": [dict(one._mapping) for one in lost]})
    else:
        lines = [[row.route, *(getattr(row, word) for word in words)] for row in rows]
        show_table(["route", *(word.replace("_", " ") for word in words)], lines, right=range(1, len(words) + 1))
    for row in broken:
        stands = sum(getattr(row, state) for state in STATES)
        complain(f"{row.route}: {row.received} came in and {stands} stand somewhere.")
    for one in lost:
        complain(_lost(one))
    if broken or lost:
        complain(
            "hint: rows were changed outside Landbridge, or it has a fault: keep the store as it is and report it."
        )
        raise typer.Exit(1)
    if not as_json:
        say("Every message is accounted for.")


def _lost(one: Any) -> str:
    if one.missing:
        name = f"{one.system} {one.entity} {one.source_key}"
        return (
            f"{one.route}: message {one.message_id} ({name}) of {one.received_at:%Y-%m-%d %H:%M} has no row any more."
        )
    return f"{one.route}: a row stands for message {one.message_id}, which was not queued there."


def rebind(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="The system.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Bind this store to the organisation that answers now, as after a move or a restored sandbox.

    The cross-reference and the cursors were made with the old one: they are kept, and wrong if the ids differ there.
    """
    from landbridge.store import control, operate

    with opened(context) as installation:
        installation.settings.system(system)
        answers = installation.systems[system].check().organisation
        with installation.store.reading() as connection:
            bound = operate.bound(connection, system)
        if bound == answers:
            say(f"{system} is bound to {answers} already.")
            return
        if bound is not None and not yes:
            typer.confirm(f"{system} is bound to {bound} and answers as {answers}. Bind it to {answers}?", abort=True)
        who, now = actor(), installation.clock.now()
        with installation.store.transaction("rebind") as connection:
            control.rebind(connection, system, answers, now)
            detail = {"from": bound, "to": answers}
            control.note(connection, "rebound", who, now, system=system, detail=detail)
    say(f"{system} is bound to {answers}{f'; it was bound to {bound}' if bound else ''}.")


def cursor(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="The system that is read.")],
    entity: Annotated[str, typer.Argument(help="The entity that is read.")],
    at: Annotated[
        str | None, typer.Option("--set", help="Read on from this day, instant or cursor; `start` reads everything.")
    ] = None,
) -> None:
    """Show where reading of a feed stands, or set it. What comes again by that is known and dropped."""
    from landbridge.cli._run import instant
    from landbridge.store import control, inbox

    with opened(context) as installation:
        installation.settings.system(system)
        if (system, entity) not in installation.settings.feeds():
            known = ", ".join(sorted(" ".join(feed) for feed in installation.settings.feeds())) or "none"
            raise LandbridgeError(f"no flow reads {entity} of {system}.", hint=f"Feeds: {known}.")
        who, now = actor(), installation.clock.now()
        with installation.store.transaction("cursor") as connection:
            feed_id, stands = inbox.feed(connection, system, entity)
            if at is not None:
                new = None if at == "start" else instant(at)
                inbox.move_cursor(connection, feed_id, new, now)
                detail = {"entity": entity, "from": stands, "to": new}
                control.note(connection, "cursor set", who, now, system=system, detail=detail)
    if at is None:
        say(stands or "start: nothing was read yet.")
    else:
        say(f"{system} {entity}: read on from {at}; it stood at {stands or 'start'}.")


def retention(context: typer.Context) -> None:
    """Remove what is older than config/landbridge.yaml says, and make room for the months ahead.

    A month that holds something in flight, or something that needs a person, is kept and named.
    """
    from landbridge.retention import retire

    with opened(context) as installation:
        kept = installation.settings.installation.retention
        hub = installation.hub if kept.hub is not None else None
        done = retire(installation.store, kept, installation.clock.now(), installation.state, hub)
    say(f"removed: {', '.join(done.dropped) or 'nothing'}; made: {', '.join(done.created) or 'nothing'}.")
    if done.rows:
        say(told(done.rows, sorted(done.rows)) + " removed by row.")
    for name, why in done.kept.items():
        say(f"kept: {name}, {why}")


def accept(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="The system that is read.")],
    entity: Annotated[str, typer.Argument(help="The entity that is read.")],
    scope: Annotated[
        str | None, typer.Option("--scope", help="Only this scope, such as a plant; default: all.")
    ] = None,
) -> None:
    """Take the next complete snapshot even if it is much smaller than the last one: the company really shrank.

    One with a missing page is refused as before.
    """
    from landbridge.store import control, operate

    with opened(context) as installation:
        installation.settings.system(system)
        who, now = actor(), installation.clock.now()
        with installation.store.transaction("accept") as connection:
            refused = operate.refused_snapshots(connection, system, entity)
            chosen = [one for one in refused if scope is None or one.scope == scope]
            for one in chosen:
                operate.accept_snapshot(connection, one.feed_id, one.scope)
                detail = {"entity": entity, "scope": one.scope, "rows": one.rows, "refused": one.refused}
                control.note(connection, "snapshot accepted", who, now, system=system, detail=detail)
    if not chosen:
        raise LandbridgeError(
            f"no snapshot of {system} {entity}{f' {scope}' if scope else ''} was refused.",
            hint="There is nothing to accept; `landbridge status` shows the last run.",
        )
    names = ", ".join(one.scope or "(all)" for one in chosen)
    say(f"{counted(len(chosen), 'scope')} of {system} {entity}: the next complete snapshot is taken ({names}).")
