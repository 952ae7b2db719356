"""Shadows: what was delivered last to a target record, and how the target gave it back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from landbridge.store._store import records, rows, sql


@dataclass(frozen=True, slots=True)
class Shadow:
    """What we delivered last to a target record; `returned` is the digest of how the target gave it back."""

    digest: bytes
    content: dict[str, Any]
    returned: bytes | None


def shadows(
    connection: Connection, system: str, entity: str, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Shadow]:
    """The shadows of target records by (scope, id)."""
    if not keys:
        return {}
    wanted = records({"scope": scope, "id": id_} for scope, id_ in keys)
    return {
        (r.scope, r.id): Shadow(bytes(r.digest), r.content, None if r.returned is None else bytes(r.returned))
        for r in rows(connection, _SHADOWS, system=system, entity=entity, rows=wanted)
    }


_SHADOWS = sql("""
select s.scope, s.id, s.digest, s.content, s.returned
from json_to_recordset(cast(:rows as json)) as r (scope text, id text)
cross join lateral (
    select * from shadow
    where system = :system and entity = :entity and scope = r.scope and id = r.id offset 0) s""")
