"""A feed once more from its beginning, as far as the store holds it: what a hub that begins is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from landbridge.store._erasure import ERASED
from landbridge.store._inbox import Received
from landbridge.store._store import rows, sql


def messages(connection: Connection, system: str, entity: str, size: int) -> Iterator[list[Received]]:
    """Every message of a feed that is kept with its body, the oldest first, so many at a time; memory stays constant.

    What was only queued once more is left out: its state is another message's.
    """
    driver: Any = connection.connection.driver_connection
    connection.execute(sql("set local enable_seqscan = on"))  # here, and only here, everything is read
    with driver.cursor(name="feed_again") as cursor:
        cursor.itersize = size
        cursor.execute(_MESSAGES, {"system": system, "entity": entity})
        while chunk := cursor.fetchmany(size):
            yield [Received(*row) for row in chunk]


_MESSAGES = """
select i.id, i.received_at, i.scope, i.source_key, i.action, i.stamp, i.source_version, i.into_key, i.trace, b.content
from feed f join inbox i on i.feed_id = f.id
left join body b on b.owner = i.id and b.kind = 'native' and b.at = i.received_at
where f.system = %(system)s and f.entity = %(entity)s and not i.again
    and (i.action <> 'upsert' or b.content is not null)
order by i.id"""


def forgotten(connection: Connection, system: str, entity: str, after: tuple[str, str], size: int) -> list[Any]:
    """Records of a feed of which no message is kept with its body any more, as (scope, id), after this one.

    Not those that a person had erased.
    """
    place = {"system": system, "entity": entity, "scope": after[0], "id": after[1]}
    return rows(connection, _FORGOTTEN, **place, size=size, erased=ERASED)


_FORGOTTEN = sql("""
select x.scope, x.id from xref x join feed f on f.system = x.system and f.entity = x.entity
where x.system = :system and x.entity = :entity and x.linked_by <> 'reference' and (x.scope, x.id) > (:scope, :id)
  and not exists (
    select from inbox i where i.feed_id = f.id and i.source_key = x.id and i.scope = x.scope and not i.again and (
        i.action <> 'upsert' or exists (
            select from body where owner = i.id and kind = 'native' and at = i.received_at)))
  and not exists (select from history where subject = x.subject and event = :erased)
order by x.scope, x.id limit :size""")
