"""The connector: what the engine calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, ClassVar

from connectors.files._config import OWN, FileEntity, FilesConfig
from connectors.files._place import Local, Place, Remote
from connectors.files._read import Reader
from connectors.files._write import Writer
from connectors.files._written import Written
from landbridge.connector import (
    Connector,
    Entity,
    Field,
    Fields,
    Found,
    Grade,
    Identity,
    KeyHash,
    Outcome,
    Page,
    Row,
    Waiver,
    Write,
    connector,
)
from landbridge.errors import Denied
from landbridge.net import Http, Sftp, SftpAddress, SftpLogin
from landbridge.time import Clock

_NO_LIMIT = (
    "Folders and SFTP have no Retry-After: a server that does not serve is Unavailable and tried again with backoff."
)
_NO_JUDGE = "A file server judges no content, so that it never refuses one record; what does not fit is refused by us."
_NO_FOLDER = (
    "A folder that is missing concerns every record: Denied pauses the flow, and nothing becomes a dead letter."
)


@connector("files", config=FilesConfig)
class Files(Connector[FilesConfig]):
    """Reads drops that were checked whole, and writes a file for each batch under a journal (grade A)."""

    waivers: ClassVar[Sequence[Waiver]] = (
        *(
            Waiver(f"status_of_a_{side}_becomes_the_right_outcome[{status}]", reason)
            for side in ("write", "read")
            for status, reason in ((400, _NO_JUDGE), (404, _NO_FOLDER), (429, _NO_LIMIT), (503, _NO_LIMIT))
        ),
        Waiver("status_of_a_write_becomes_the_right_outcome[422]", _NO_JUDGE),
        Waiver("what_the_product_says_of_its_limit_reaches_the_budget", _NO_LIMIT),
    )

    def __init__(self, name: str, config: FilesConfig, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._place = _place(name, config, http)
        self._reader = Reader(name, self._place, config, clock)
        self._writer = Writer(name, self._place, config, clock)
        self._written = Written(self._place, config, self._writer)

    @classmethod
    def declared(cls, config: Mapping[str, Any]) -> Mapping[str, Entity]:
        """The entities that the configuration names."""
        written = FilesConfig.model_validate(dict(config))
        return {name: _entity(written, each) for name, each in written.entities.items()}

    def entity(self, entity: str) -> Entity:
        """One entity as the configuration declares it."""
        return _entity(self.config, self.config.entities[entity])

    def check(self) -> Identity:
        """Say where the files are, and try every folder: is it there, and may we write where we must."""
        missing = []
        for name, each in self.config.entities.items():
            for folder, writes in _folders(each):
                try:
                    self._place.list(folder)
                    if writes:
                        self._try_to_write(folder)
                except Denied as error:
                    if error.status != "permission denied":
                        raise
                    missing.append(f"{'write to' if writes else 'list'} {folder or '.'} ({name})")
        if missing:
            hint = "Give our user the right on these folders, or say `afterwards: keep` and `broken: keep`."
            raise Denied(f"{self.name}: we may not {'; '.join(missing)}.", hint=hint, sent=False)
        return Identity(self._place.where, self.config.user or "")

    def _try_to_write(self, folder: str) -> None:
        name = f"{OWN}-check.part"
        self._place.write(folder, name, b"")
        self._place.remove(folder, name)

    def describe(self, entity: str) -> Fields:
        """The declared columns."""
        each = self.config.entities[entity]
        under = dict.fromkeys(each.lines.columns, f"{each.lines.under}.") if each.lines else {}
        types: dict[str, Any] = {"text": "string", "number": "decimal"}
        fields = {
            f"{under.get(c.name, '')}{c.name}": Field(
                f"{under.get(c.name, '')}{c.name}",
                types.get(c.type, c.type),
                c.length,
                c.required or c.name in each.key,
            )
            for c in each.columns
        }
        return Fields(each.pattern or entity, fields)

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """The records of new drops; a snapshot entity's newest file."""
        return self._reader.pages(entity, since, limit, looking=self.looking)

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """The last state of records, in what was dropped and in what we wrote."""
        wanted = list(dict.fromkeys(ids))
        found = {row.key: row for row in self._written.rows(entity, wanted)}
        left = [key for key in wanted if key not in found]
        if left and self.config.entities[entity].pattern is not None:
            found |= {row.key: row for row in self._reader.fetch(entity, left)}
        return [found.get(key) or Row(key, None, action="delete") for key in wanted]

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Every key of the files with the digest of its last state, ascending."""
        return self._reader.keys(entity, low, high)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """One file of what is new in the batch."""
        return self._writer.write(entity, writes)

    def find(self, entity: str, reference: str) -> Found | None:
        """What the journal tells of our reference."""
        return self._writer.find(entity, reference)

    def line_key(self, entity: str, line: Mapping[str, Any]) -> str | None:
        """A line's own number."""
        lines = self.config.entities[entity].lines
        name = lines.key if lines is not None else None
        return str(line[name]) if name is not None and name in line else None

    def close(self) -> None:
        """Close the line to the server."""
        self._place.close()
        super().close()


def _place(name: str, config: FilesConfig, http: Http) -> Place:
    if config.url is None:
        return Local(name, str(config.folder))
    login = SftpLogin(str(config.user), config.host_key, config.password, config.private_key, config.passphrase)
    return Remote(name, Sftp(name, SftpAddress.parse(config.url), login, http.settings, http.admit))


def _folders(each: FileEntity) -> Iterator[tuple[str, bool]]:
    if each.pattern is not None:
        yield each.folder, each.afterwards != "keep" or each.broken == "set_aside"
    if each.write is not None:
        yield str(PurePosixPath(each.write.folder)) if each.write.folder else "", True


def _entity(config: FilesConfig, each: FileEntity) -> Entity:
    grade: Grade | None = "A" if each.write is not None else None
    return Entity(
        each.pattern or "",
        create=grade,
        update=grade,
        delete=grade if each.write is not None and each.write.action is not None else None,
        batch=config.batch,
        settle=timedelta(seconds=config.settle),
        overlap=timedelta(minutes=5),
        snapshot=each.snapshot,
        lines=each.lines.under if each.lines else None,
        key=each.key[0] if each.key else "",
    )
