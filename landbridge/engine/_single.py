"""One record now: fetched from its source by id, through the inbox, and delivered without waiting for its turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from landbridge.connector import Row
from landbridge.engine._deliver import Deliver
from landbridge.engine._engine import Engine
from landbridge.engine._extract import incoming_of, receive
from landbridge.errors import Denied, Invalid, LandbridgeError, Rejected
from landbridge.store import control, inbox, operate


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did with the record; `ok` is False where a person is needed before it goes on."""

    step: str
    what: str
    ok: bool = True


def fetch_one(engine: Engine, system: str, entity: str, id_: str) -> Row:
    """One record of a system as it is now; Rejected if it is not there."""
    found = [row for row in engine.parts.systems[system].fetch(entity, [id_]) if row.key == id_]
    if not found or found[0].body is None:
        raise Rejected(
            f"{system} has no {entity} {id_}.", hint="Look at the id: it is the system's own key, not a number in it."
        )
    return found[0]


def send(engine: Engine, name: str, id_: str) -> Iterator[Step]:
    """Fetch one record of a flow's source and bring it through every step, telling each as it is done."""
    parts, flow = engine.parts, engine.parts.flows[name]
    system, entity = flow.feed
    with parts.store.reading() as connection:
        reason = control.paused(connection).get(name)
    if reason is not None:
        raise Denied(f"{name} is paused: {reason.rstrip('.')}.", hint=f"landbridge resume {name}", sent=False)
    for target in (system, *(route.to for route in flow.deliver)):
        engine.bind(target)
    row = fetch_one(engine, system, entity, id_)
    [incoming] = incoming_of(parts, [row])
    with parts.store.transaction("extract") as connection:
        feed_id, _ = inbox.feed(connection, system, entity)
        new = receive(connection, feed_id, [incoming], parts.clock.now())
    yield Step("extract", f"{system} {entity} {id_}: {'received' if new else 'this very state was received before'}")
    engine.process(system, entity)
    with parts.store.reading() as connection:
        message = operate.message(connection, feed_id, id_, incoming.trace if new else None)
        rows = _rows(connection, message, name)
    if message is None or not message.processed:
        yield Step("resolve", "another worker is processing this feed; it takes the record along", ok=False)
        return
    yield _resolved(message, rows)
    with parts.store.reading() as connection:
        stopped = control.paused_routes(connection)
    _deliver(engine, name, [row for row in rows if row.route not in stopped])
    with parts.store.reading() as connection:
        for row_ in _rows(connection, message, name):
            if row_.done_at is None and row_.route in stopped:
                said = " ".join(stopped[row_.route].values())
                yield Step("deliver", f"{row_.route} is paused: {said} hint: landbridge resume {row_.route}", ok=False)
            else:
                yield _delivered(connection, row_)


def _rows(connection: Any, message: Any, flow: str) -> list[Any]:
    return [] if message is None else [r for r in operate.outgoing(connection, [message.id]) if r.flow == flow]


def _resolved(message: Any, rows: list[Any]) -> Step:
    refused = next((row for row in rows if row.state == "quarantined" and row.subject is None), None)
    if refused is not None:
        return Step("check", f"quarantined: {refused.reason}", ok=False)
    return Step("resolve", f"subject {message.subject}, version {message.version}")


def _deliver(engine: Engine, name: str, rows: list[Any]) -> None:
    for row in rows:
        if row.done_at is not None:
            continue
        subscriptions = [s for s in engine.subscriptions(name) if s.id == row.route_id]
        peers, breaker = engine.peers(row.system), engine.breaker(row.system)
        Deliver(engine.parts, row.system, row.entity, subscriptions, peers, breaker=breaker).batch(only=[row.id])


def _delivered(connection: Any, row: Any) -> Step:
    where = f"{row.route}: {row.state}"
    if row.done_at is not None:
        code = f" ({row.code})" if row.code and row.code != row.state else ""
        target = f", {row.system} id {row.target_id}" if row.target_id else ""
        reason = f": {row.reason}" if row.reason else ""
        return Step("deliver", f"{where}{code}{target}{reason}", ok=row.state in ("delivered", "suppressed"))
    if row.behind is not None:
        return Step("deliver", f"{where}, behind row {row.behind} of the same document or record", ok=False)
    if row.waits_for is not None:
        return Step("deliver", f"{where} for {_called(connection, row.waits_for)}", ok=False)
    reason = f": {row.reason}" if row.reason else ""
    return Step("deliver", f"{where}, due {row.due:%Y-%m-%d %H:%M:%S}{reason}", ok=False)


def _called(connection: Any, subject: UUID) -> str:
    names = [f"{one.system} {one.entity} {one.id}" for one in control.names(connection, subject)]
    return " / ".join(names) or str(subject)


def canonical_of(engine: Engine, system: str, entity: str, row: Row) -> dict[str, Any] | Invalid:
    """The canonical body of a native record, or what is wrong with it."""
    from landbridge.translator import Context

    parts = engine.parts
    try:
        mapping = parts.mappings[system, entity]
    except KeyError:
        raise LandbridgeError(
            f"there is no mapping that reads {entity} of {system}.", hint="`landbridge check` says where it belongs."
        ) from None
    try:
        body = mapping.read(row.body or {}, Context(system=system, scope=row.scope, now=parts.clock.now()))
        parts.schema.check(entity, body)
    except Invalid as error:
        return error
    return body
