"""What a system sends by itself: kept with what caused it, sent by a thread, sent again until the receiver takes it."""

from __future__ import annotations

import http.client
import sqlite3
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sandbox._base.clock import Clock
from sandbox._base.state import Collection, Document, State

_SECONDS = 60.0
Posted = tuple[int, Mapping[str, str], bytes]


class Sender:
    """A queue in the state. `send(group, contents)` says whether they were taken; at most `most` of a group go at once.

    What was not taken comes again at growing distances, by the sandbox clock, and is dropped after `dropped`.
    """

    def __init__(
        self,
        state: State,
        clock: Clock,
        name: str,
        send: Callable[[str, list[Document]], bool],
        *,
        most: int,
        first: timedelta,
        longest: timedelta,
        dropped: timedelta,
    ) -> None:
        self._state, self._clock, self._name, self._send, self._most = state, clock, name, send, most
        self._first, self._longest, self._dropped = first, longest, dropped
        state.define(Collection(name, ("due", "toward"), indexes=(("due",), ("toward", "due"))))
        self._wake, self._closed = threading.Event(), False
        self._thread: threading.Thread | None = None
        self.dropped = 0
        if self.waiting():
            self.start()

    def add(self, group: str, id_: str, content: Document) -> None:
        """Queue one, as part of the transaction that caused it; it leaves after the commit."""
        now = self._clock.timestamp()
        told = {"id": id_, "toward": group, "content": content, "due": now, "since": now, "tries": 0}
        self._state.put(self._name, id_, told)
        self.start()

    def waiting(self) -> int:
        """How many were not taken yet."""
        return self._state.count(self._name)

    def drop(self, group: str) -> None:
        """Send no more of a group."""
        self._state.execute(f'DELETE FROM "{self._name}" WHERE toward = ?', (group,))

    def start(self) -> None:
        """Look at once at what is due."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Send no more; what waits stays in the state."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        try:
            while not self._closed:
                self._wake.wait()
                self._wake.clear()
                while not self._closed and self._send_due():
                    pass
        except sqlite3.ProgrammingError:
            if not self._closed:  # closed while one was under way: whoever opens the state next sends it again
                raise

    def _send_due(self) -> bool:
        now = self._clock.timestamp()
        due = self._state.find(self._name, "due <= ?", (now,), order="due, _id", limit=1)
        if not due:
            return False
        group = due[0]["toward"]
        found = self._state.find(
            self._name, "toward = ? AND due <= ?", (group, now), order="due, _id", limit=self._most
        )
        taken = self._send(group, [{"id": one["id"], **one["content"]} for one in found])
        with self._state.transaction():
            for one in found:
                if taken:
                    self._state.delete(self._name, one["id"])
                elif now - one["since"] > self._dropped.total_seconds():
                    self.dropped += 1
                    self._state.delete(self._name, one["id"])
                else:
                    self._later(one, now)
        return True

    def _later(self, one: Document, now: float) -> None:
        wait = min(self._first.total_seconds() * 2.0 ** min(one["tries"], 30), self._longest.total_seconds())
        self._state.put(self._name, one["id"], {**one, "tries": one["tries"] + 1, "due": now + wait})
        self._clock.call_at(self._clock.now() + timedelta(seconds=wait), self._wake.set)


def call(method: str, url: str, body: bytes, headers: Mapping[str, str], *, ca: str | None = None) -> Posted:
    """One request of a vendor's own HTTP client; status 0 where no reply came."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    line: Any = (
        http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context(cafile=ca))
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=_SECONDS)
    )
    try:
        line.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
        reply = line.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read(1 << 20)
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        line.close()
