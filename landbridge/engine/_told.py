"""Keys that a webhook named are read from their system and become inbox rows: the content enricher before step 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from landbridge.engine._extract import Told, incoming_of, receive
from landbridge.engine._parts import Parts
from landbridge.engine._spans import fetching
from landbridge.net import traced
from landbridge.store import hooks, inbox
from landbridge.store._hooks import Told as Named

AT_ONCE = 200


def fetch_told(parts: Parts, system: str, entity: str, bind: Callable[[str], None]) -> int:
    """Read what was named and keep it; how many were new. A key that is named again meanwhile is read again.

    `bind` holds the system to the organisation that the store belongs to, before the first key is read.
    """
    with parts.store.transaction("feed") as connection:
        feed_id, _ = inbox.feed(connection, system, entity)
    new = 0
    while keys := _waiting(parts, feed_id):
        bind(system)
        with fetching(parts, (system, entity), keys) as header, traced(header):
            rows = parts.systems[system].fetch_named(entity, list(dict.fromkeys(one.key for one in keys)))
        named = {key: Told(one.trace, one.at) for one in keys for key in (("", one.key), (one.scope, one.key))}
        incoming = incoming_of(parts, rows, [named.get((r.scope, r.key)) or named.get(("", r.key)) for r in rows])
        with parts.store.transaction("told") as connection:
            new += receive(connection, feed_id, incoming, parts.clock.now())
            hooks.fetched(connection, feed_id, keys)
        if len(keys) < AT_ONCE:
            break
    return new


def _waiting(parts: Parts, feed_id: int) -> Sequence[Named]:
    with parts.store.asking() as connection:
        return hooks.waiting(connection, feed_id, AT_ONCE)
