"""Canary values, and the search for them in every place and spelling where they could come to light."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy import text

from landbridge.store import Store


def forms(canary: str) -> set[bytes]:
    """The canary as it stands, in base64 at each of its three offsets, in hex, URL-encoded, and escaped in JSON."""
    raw = canary.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(canary, safe="").encode()}
    found |= {quote_plus(canary).encode(), quote(quote(canary, safe=""), safe="").encode()}
    found |= {canary.encode("utf-16-le"), "".join(f"\\u{ord(sign):04x}" for sign in canary).encode()}
    for shift in range(3):
        packed = base64.b64encode(b"\0" * shift + raw)
        first, left = (0, 2, 3)[shift], (shift + len(raw)) % 3
        core = packed.rstrip(b"=")[first : -1 if left else None]
        found |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


class Search:
    """Everything that was said, by place; `hits` are the canaries in it."""

    def __init__(self) -> None:
        self.places: dict[str, list[bytes]] = {}

    def add(self, place: str, *said: str | bytes) -> None:
        """Something that came to light at a place."""
        found = (one if isinstance(one, bytes) else one.encode("utf-8", "replace") for one in said)
        self.places.setdefault(place, []).extend(found)

    def hits(self, canaries: Iterable[str]) -> list[tuple[str, str, str]]:
        """(place, canary, where around it) of every canary in any spelling."""
        wanted = [(canary, form) for canary in canaries for form in forms(canary)]
        found = []
        for place, texts in self.places.items():
            whole = b"\n".join(texts)
            for canary, form in wanted:
                at = whole.find(form)
                if at >= 0:
                    found.append(
                        (place, canary, whole[max(0, at - 120) : at + len(form) + 40].decode("utf-8", "replace"))
                    )
        return found

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Every log line of this process, at DEBUG, with its arguments and its traceback."""
        search = self

        class Ear(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                search.add("logs", self.format(record), repr(record.args))

        root, ear = logging.getLogger(), Ear(logging.DEBUG)
        level = root.level
        root.addHandler(ear)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(ear)
            root.setLevel(level)

    def error(self, error: BaseException) -> None:
        """An error that got out, as a log, an Airflow task or a debugger would show it."""
        self.add("errors", "".join(traceback.format_exception(error)), repr(error), repr(vars(error)))

    def store(self, store: Store) -> None:
        """Every row of every table, and every byte of what is kept as bytes."""
        with store.reading() as connection:
            names = connection.execute(
                text("select table_name from information_schema.tables where table_schema = 'public' order by 1")
            ).scalars()
            for name in list(names):
                rows = connection.execute(text(f'select t::text from "{name}" t')).scalars()
                self.add(f"table {name}", *rows)
                self._bytes(connection, name)

    def _bytes(self, connection: object, name: str) -> None:
        columns = connection.execute(  # type: ignore[attr-defined]  # a connection of SQLAlchemy
            text("select column_name from information_schema.columns where table_name = :name and data_type = 'bytea'"),
            {"name": name},
        ).scalars()
        for column in list(columns):
            kept = connection.execute(text(f'select "{column}" from "{name}" where "{column}" is not null')).scalars()  # type: ignore[attr-defined]  # as above
            self.add(f"table {name}", *(bytes(one) for one in kept))

    def files(self, place: str, folder: Path) -> None:
        """Every file below a folder."""
        self.add(place, *(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()))

    def processes(self) -> None:
        """The command line of every process of this machine, as `ps` shows it."""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.add("ps", file.read_bytes().replace(b"\0", b" "))
            except OSError:
                continue  # it ended meanwhile
