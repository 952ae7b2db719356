"""The cursor: which drops are known, and how far into which one the engine has come.

A known drop is 20 bytes: a mark of (name, size, time) by which it is not read again, and the digest of its content by
which the same content under another name is known. What lies in the folder is kept, and the last thousand of what went.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.files._drop import DIGEST
from connectors.files._place import Entry
from landbridge.errors import Denied, Invalid, Rejected
from landbridge.strict import json as strict_json

_MARK = 8
_KEPT = 1000
_NONE = bytes(DIGEST)


def mark_of(entry: Entry) -> bytes:
    """What tells a file from the others and from its own later states, without reading it."""
    return hashlib.blake2b(f"{entry.name}\0{entry.size}\0{entry.mtime}".encode(), digest_size=_MARK).digest()


@dataclass(slots=True)
class State:
    """What the cursor holds; changed in place while a feed is read."""

    seen: str = ""
    start: str = ""
    known: dict[bytes, bytes] = field(default_factory=dict)
    """Digest by mark, oldest first; a broken file that stays where it is has no digest."""
    open: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    """(rows read, name) by the digest of a file of which a part was read."""

    def was_read(self, entry: Entry) -> bool:
        """Whether the rows of a file are stored to the last."""
        return self.known.get(mark_of(entry), _NONE) != _NONE

    def contents(self) -> set[bytes]:
        """The digests of everything that was read."""
        return {digest for digest in self.known.values() if digest != _NONE}

    def done(self, mark: bytes, digest: bytes | None) -> None:
        """A file was read to its end (or is broken: no digest)."""
        self.known.pop(mark, None)
        self.known[mark] = digest or _NONE
        self.open.pop(digest or b"", None)

    def forget(self, there: Collection[bytes]) -> None:
        """Drop the oldest of what is not in the folder any more."""
        gone = [mark for mark in self.known if mark not in there]
        for mark in gone[:-_KEPT]:
            del self.known[mark]

    def text(self) -> str:
        """The cursor as the engine stores it."""
        known = base64.b64encode(b"".join(mark + digest for mark, digest in self.known.items())).decode()
        opened = [[base64.b64encode(digest).decode(), *where] for digest, where in self.open.items()]
        return strict_json.dumps({"seen": self.seen, "start": self.start, "known": known, "open": opened}).decode()


def parse(cursor: str | None, now: datetime, system: str) -> State:
    """A stored cursor, or an instant that a person gave: files from before it count as read."""
    if cursor is None:
        return State(seen=now.isoformat())
    try:
        if not cursor.startswith("{"):
            at = datetime.fromisoformat(cursor)
            return State(now.isoformat(), (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat())
        found = strict_json.loads(cursor)
        raw = base64.b64decode(found["known"], validate=True)
        size = _MARK + DIGEST
        known = {raw[at : at + _MARK]: raw[at + _MARK : at + size] for at in range(0, len(raw), size)}
        opened = {base64.b64decode(digest): (int(rows), str(name)) for digest, rows, name in found["open"]}
        state = State(str(found["seen"]), str(found["start"]), known, opened)
        seen = datetime.fromisoformat(state.seen)
    except (Invalid, ValueError, KeyError, TypeError, binascii.Error) as error:
        hint = "Give an instant such as 2026-11-21T08:00:00Z, or reset the feed's cursor."
        raise Rejected(f"the cursor cannot be read ({type(error).__name__}): {cursor[:80]}", hint=hint) from error
    if seen > now + timedelta(days=1):
        message = f"{system}: the cursor lies in the future ({state.seen})."
        raise Denied(message, hint="Reset the feed's cursor; look at the clocks.", sent=False)
    return state
