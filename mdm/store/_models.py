"""Models: what was trained, with the term frequencies it was trained on, kept for ever under its own digest."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from mdm.store._sql import rows, sql


class Kept(NamedTuple):
    """A model as it is kept."""

    id: str
    entity: str
    content: str
    frequencies: bytes | None
    made_at: datetime


def keep(connection: Connection, model: Kept) -> None:
    """Keep a model; one that is kept already stays as it is."""
    connection.execute(_KEEP, model._asdict())


_KEEP = sql("""
insert into hub_model (id, entity, content, frequencies, made_at)
values (:id, :entity, :content, :frequencies, :made_at) on conflict do nothing""")


def find(connection: Connection, model: str) -> Kept | None:
    """A model by its digest."""
    found = rows(connection, _FIND, id=model)
    return Kept(*found[0]) if found else None


_FIND = sql("select id, entity, content, frequencies, made_at from hub_model where id = :id")


def there(connection: Connection) -> bool:
    """Whether the hub's tables are there at all."""
    return bool(rows(connection, _THERE)[0].there)


_THERE = sql("select to_regclass('hub_entity') is not null as there")


def of(connection: Connection, entity: str) -> str | None:
    """The model that an entity's records are grouped by; None before the first record."""
    found = rows(connection, _OF, entity=entity)
    return found[0].model if found else None


_OF = sql("select model from hub_entity where entity = :entity")


def newest(connection: Connection, entity: str) -> Kept | None:
    """The model that was trained last."""
    found = rows(connection, _NEWEST, entity=entity)
    return Kept(*found[0]) if found else None


_NEWEST = sql("""
select id, entity, content, frequencies, made_at from hub_model where entity = :entity
order by made_at desc, id limit 1""")
