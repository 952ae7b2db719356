"""A dry run of a flow: what would come in and how it maps, without keeping or writing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.errors import Invalid
from landbridge.store import inbox
from landbridge.translator import Context

if TYPE_CHECKING:
    from landbridge.connector import Row
    from landbridge.installation import Installation

MOST_FINDINGS = 50


@dataclass(slots=True)
class Rehearsal:
    """Counts (read, valid, quarantined, deleted) and the first findings, each with the record's key."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def rehearse(installation: Installation, name: str, *, since: str | None = None, limit: int | None = None) -> Rehearsal:
    """Read a flow's feed from its cursor (or `since`), map and check every record; the cursor stays where it is."""
    flow = installation.settings.flow(name)
    system, entity = flow.feed
    with installation.store.reading() as connection:
        _, cursor = inbox.feed(connection, system, entity)  # a feed made here is rolled back: reading keeps nothing
    found = Rehearsal()
    for page in installation.systems[system].read(entity, since or cursor, limit=limit):
        for row in page.rows:
            found.counts["read"] += 1
            _check(installation, system, entity, row, found)
        if limit is not None and found.counts["read"] >= limit:
            break
    return found


def _check(installation: Installation, system: str, entity: str, row: Row, found: Rehearsal) -> None:
    if row.action != "upsert" or row.body is None:
        found.counts["deleted"] += 1
        return
    parts = installation.engine.parts
    context = Context(system=system, scope=row.scope, now=installation.clock.now())
    try:
        canonical = parts.mappings[system, entity].read(row.body, context)
        parts.schema.check(entity, canonical)
    except Invalid as error:
        found.counts["quarantined"] += 1
        if len(found.findings) < MOST_FINDINGS:
            found.findings.append(f"{system} {entity} {row.key}: {error}")
    else:
        found.counts["valid"] += 1
