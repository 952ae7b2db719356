"""Reads what changed: each model that matters to an entity is a stream of its own, with a window of its own.

Tryton stamps a record when it is written itself, not when its lines or addresses are, so those are watched too; and a
record that was only created has no `write_date`. Since 7.2 `last_modified_at` is the later of both and can be searched
by; for earlier versions what was only created and what was written are two streams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from connectors.tryton._deletions import Deletions, Seen
from connectors.tryton._records import Records
from connectors.tryton._sources import Watch
from connectors.tryton._wire import Record, inward, stamp
from landbridge.connector import Page, Row, Window
from landbridge.errors import Invalid, Rejected
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_GONE = "deletions"


@dataclass(frozen=True, slots=True)
class Stream:
    """Records of one model in the order of one time stamp; `parent` leads to ours, empty if they are ours."""

    name: str
    model: str
    stamp: str
    parent: str = ""
    domain: tuple[Any, ...] = ()


class Reader:
    """Pages of one entity."""

    def __init__(self, records: Records, clock: Clock, overlap: timedelta) -> None:
        self._records = records
        self._clock = clock
        self._overlap = overlap
        self._system = records.session.http.system

    def pages(self, since: str | None, limit: int | None) -> Iterator[Page]:
        """Pages since a cursor; the first reading of all begins to watch children where it began itself."""
        streams = self._streams()
        held = _held(since, streams)
        windows = self._parsed(since, held, streams)
        seen = Seen.parse(held.get(_GONE))
        if since is None:
            for stream in streams:
                if stream.parent:
                    windows[stream.name] = Window(high=self._newest(stream), seen=self._clock.now().timestamp())
        if seen is None and self._records.config.deletions:
            _, seen = self._gone(None)
        left = limit
        for stream in streams:
            if since is None and stream.parent:
                continue
            window = windows[stream.name].begin(self._newest(stream), self._clock.now(), self._overlap)
            while window.open and (left is None or left > 0):
                found, last = self._found(stream, window, left)
                mark = (_stamp(found[-1], stream), int(found[-1]["id"])) if found else None
                window = window.read_to(mark, last=last)
                windows[stream.name] = window
                left = left - len(found) if left is not None else None
                yield Page(self._rows(stream, found), _text(windows, seen))
        if seen is not None and (left is None or left > 0):
            rows, now = self._gone(seen)
            if rows or now != seen:
                yield Page(rows, _text(windows, now))

    def _streams(self) -> list[Stream]:
        source = self._records.source
        found = [*self._of(Watch(source.model, "", tuple(self._records.domain)))]
        for watch in source.watched:
            found += self._of(watch)
        return found

    def _of(self, watch: Watch) -> list[Stream]:
        model, fields = watch.model, self._records.schema.fields(watch.model)
        if "last_modified_at" in fields:
            return [Stream(model, model, "last_modified_at", watch.parent, watch.domain)]
        created = (["write_date", "=", None], *watch.domain)
        return [
            Stream(f"{model} created", model, "create_date", watch.parent, created),
            Stream(f"{model} written", model, "write_date", watch.parent, (["write_date", "!=", None], *watch.domain)),
        ]

    def _parsed(self, since: str | None, held: Mapping[str, Any], streams: list[Stream]) -> dict[str, Window]:
        latest = self._clock.now() + timedelta(days=1)
        found = {}
        for stream in streams:
            window = held.get(stream.name)
            text = strict_json.dumps(window).decode() if window else None if held else since
            found[stream.name] = Window.parse(text, system=self._system, latest=latest)
        return found

    def _newest(self, stream: Stream) -> str | None:
        order = [[stream.stamp, "DESC"]]
        found = self._select(stream, list(stream.domain), 1, order)
        return _stamp(found[0], stream) if found else None

    def _found(self, stream: Stream, window: Window, left: int | None) -> tuple[list[Record], bool]:
        assert window.high is not None
        size = min(self._records.config.page, left) if left is not None else self._records.config.page
        domain = [*stream.domain, [stream.stamp, "<=", stamp(window.high)]]
        if window.after is not None:
            at, key = stamp(str(window.after[0])), int(window.after[1])
            later = [stream.stamp, ">", at]
            domain.append(["OR", later, [[stream.stamp, "=", at], ["id", ">", key]]])
        elif window.low is not None:
            domain.append([stream.stamp, ">=", stamp(window.low)])
        found = self._select(stream, domain, size, [[stream.stamp, "ASC"], ["id", "ASC"]])
        return found, len(found) < size

    def _select(self, stream: Stream, domain: list[Any], limit: int, order: list[Any]) -> list[Record]:
        if not stream.parent and limit > 1:
            return self._records.select(domain, limit, order, stream.stamp)
        fields = [stream.stamp, *([stream.parent] if stream.parent else [])]
        return list(self._records.session.call(stream.model, "search_read", domain, 0, limit, order, fields))

    def _rows(self, stream: Stream, found: list[Record]) -> list[Row]:
        if not stream.parent:
            return [self._records.row(each) for each in found]
        return self._records.by_id(_parents(found, stream))

    def _gone(self, seen: Seen | None) -> tuple[list[Row], Seen]:
        ids, now = Deletions(self._records.session, self._records.model).since(seen, self._clock.now())
        return [Row(str(one), None, action="delete") for one in ids], now


def _parents(found: list[Record], stream: Stream) -> list[int]:
    ids: list[int] = []
    for each in found:
        value = each.get(stream.parent)
        if isinstance(value, str):  # a reference: model,id
            value = value.partition(",")[2]
        ids += [int(one) for one in (value if isinstance(value, list) else [value]) if one]
    return ids


def _stamp(record: Record, stream: Stream) -> str:
    return str(inward({stream.stamp: record[stream.stamp]})[stream.stamp])


def _text(windows: Mapping[str, Window], seen: Seen | None) -> str:
    held: Record = {name: asdict(window) for name, window in windows.items()}
    return strict_json.dumps(held | ({_GONE: seen.held()} if seen is not None else {})).decode()


def _held(since: str | None, streams: list[Stream]) -> Mapping[str, Any]:
    """What a stored cursor holds; nothing where a person gave an instant."""
    if since is None or not since.startswith("{"):
        return {}
    try:
        held = strict_json.loads(since)
    except Invalid:
        held = None
    if not isinstance(held, dict) or not any(stream.name in held for stream in streams):
        hint = "Give an instant such as 2026-11-21T08:00:00Z, or reset the feed's cursor."
        raise Rejected(f"the cursor cannot be read: {since[:80]}", hint=hint)
    return held
