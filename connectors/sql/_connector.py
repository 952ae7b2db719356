"""The connector: what the engine calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from connectors.sql._config import SqlConfig, TableEntity
from connectors.sql._errors import renamed
from connectors.sql._line import Line
from connectors.sql._read import Reader
from connectors.sql._rights import identity, missing_rights, unmet_promises
from connectors.sql._tables import Tables
from connectors.sql._write import Writer
from landbridge.connector import (
    Connector,
    Entity,
    Fields,
    Found,
    Identity,
    KeyHash,
    Outcome,
    Page,
    Row,
    Waiver,
    Write,
    connector,
)
from landbridge.errors import Denied, Rejected
from landbridge.net import Http
from landbridge.time import Clock

_NO_RETRY_AFTER = "A database has no Retry-After: a full server is Unavailable and is tried again with backoff."


@connector("sql", config=SqlConfig)
class Sql(Connector[SqlConfig]):
    """Reads tables by change stamp or as snapshots, and writes by a unique reference column (grade B)."""

    waivers: ClassVar[Sequence[Waiver]] = (
        Waiver("status_of_a_write_becomes_the_right_outcome[429]", _NO_RETRY_AFTER),
        Waiver("status_of_a_write_becomes_the_right_outcome[503]", _NO_RETRY_AFTER),
        Waiver("status_of_a_read_becomes_the_right_outcome[429]", _NO_RETRY_AFTER),
        Waiver("status_of_a_read_becomes_the_right_outcome[503]", _NO_RETRY_AFTER),
        Waiver("what_the_product_says_of_its_limit_reaches_the_budget", _NO_RETRY_AFTER),
    )

    def __init__(self, name: str, config: SqlConfig, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._line = Line(config, http)
        self._tables = Tables(name, self._line, config)
        self._reader = Reader(name, self._line, self._tables, config, clock)
        self._writer = Writer(name, self._line, self._tables, self._reader)

    @classmethod
    def declared(cls, config: Mapping[str, Any]) -> Mapping[str, Entity]:
        """The entities that the configuration names."""
        written = SqlConfig.model_validate(dict(config))
        return {name: _entity(written, each) for name, each in written.entities.items()}

    def entity(self, entity: str) -> Entity:
        """One entity as the configuration declares it."""
        return _entity(self.config, self.config.entities[entity])

    def check(self) -> Identity:
        """Say which database answers, and ask for every right and unique column that the entities need."""
        found = identity(self.name, self._line)
        self._tables.forget()
        natives = [self._tables.native(entity) for entity in self.config.entities]
        if missing := list(missing_rights(natives, self._line)):
            hint = "GRANT the rights to the user of the URL, or take the entity or its `reference` out."
            raise Denied(f"{self.name}: {found.user} may not {'; '.join(missing)}.", hint=hint, sent=False)
        if unmet := list(unmet_promises(natives, self._line)):
            hint = "Add it: it is what makes a repeated write the same record."
            raise Denied(f"{self.name}: {'; '.join(unmet)}.", hint=hint, sent=False)
        return found

    def describe(self, entity: str) -> Fields:
        """The columns as the database tells them; lines as `lines.quantity`."""
        return self._tables.describe(entity)

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """What changed, by (stamp, key); a table without stamps as one snapshot."""
        try:
            yield from self._reader.pages(entity, since, limit)
        except (Denied, Rejected):
            self._tables.forget()  # perhaps a column was renamed: the next reading asks the database anew
            raise

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Records by key."""
        return self._reader.fetch(entity, ids)

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Every key with the digest of its record, streamed."""
        return self._reader.keys(entity, low, high)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """All of them in one transaction; one that is refused pulls no other down."""
        outcomes = self._writer.write(entity, writes)
        for outcome in outcomes:
            self._look_anew(outcome)
        return outcomes

    def _look_anew(self, outcome: Outcome) -> None:
        """Where a table is not what it was, ask the database when somebody has seen to it."""
        if isinstance(outcome, Denied) and renamed(outcome.status):
            self._tables.forget()

    def find(self, entity: str, reference: str) -> Found | None:
        """The record whose reference column is ours."""
        return self._reader.find(entity, reference)

    def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
        """The keys of the records that hold each value."""
        return self._reader.matches(entity, values, field)

    def line_key(self, entity: str, line: Mapping[str, Any]) -> str | None:
        """A line's own number."""
        lines = self.config.entities[entity].lines
        return str(line[lines.key]) if lines is not None and lines.key in line else None

    def close(self) -> None:
        """Close every connection to the database."""
        self._line.close()
        super().close()


def _entity(config: SqlConfig, each: TableEntity) -> Entity:
    grade = "B" if each.writable else None
    return Entity(
        each.table or "statement",
        create=grade,  # type: ignore[arg-type]  # a text that is a grade
        update=grade,  # type: ignore[arg-type]  # the same
        delete=grade if each.staging is None else None,  # type: ignore[arg-type]  # the same
        batch=config.batch,
        settle=timedelta(seconds=config.settle),
        overlap=timedelta(seconds=config.overlap if each.overlap is None else each.overlap),
        snapshot=not each.changed,
        lines=each.lines.under if each.lines else None,
        key=each.key[0],
        ignored=frozenset([*each.changed, *([each.version] if each.version else [])]),
    )
