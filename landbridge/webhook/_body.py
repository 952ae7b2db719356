"""Reading a body of a stranger: never longer, never slower and never more packed than allowed, nor too many at once."""

from __future__ import annotations

import asyncio
import zlib
from types import TracebackType
from typing import Self

from starlette.requests import ClientDisconnect, Request

SECONDS = 10.0
"""How long a sender may take for its whole body."""
RATIO = 100
"""How many times its own size a packed body may unpack to, beyond the first 64 KiB."""
ROOM = 128 << 20
"""Most bytes of bodies that one process holds at a time, of all requests together."""
_FREE = 1 << 16
_PIECE = 1 << 16


class Refused(Exception):
    """The body is not taken; `status` and `text` are the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Room:
    """The memory that bodies share; `Place` is one request's part of it."""

    def __init__(self, most: int = ROOM) -> None:
        self.most = most
        self.taken = 0

    def place(self) -> Place:
        """Room for one request, given back when it is left."""
        return Place(self)


class Place:
    """What one request holds."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0

    def take(self, count: int) -> None:
        """Hold so many bytes more; Refused where all have too many already."""
        if self._room.taken + count > self._room.most:
            raise Refused(503, "More comes in than can be read at a time; come back in a second.")
        self._room.taken += count
        self._taken += count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.taken -= self._taken
        self._taken = 0


async def body_of(request: Request, limit: int, place: Place, seconds: float = SECONDS) -> bytes:
    """The whole body, unpacked; Refused as soon as it is too long, too packed or too slow."""
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip", "deflate", ""):
        raise Refused(415, "This content encoding is not read; send gzip, deflate or none.")
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > 18 or int(told) > limit):
        raise Refused(413, f"The body is longer than {limit} bytes.")
    unpacked = _Plain(limit, place) if packed in ("identity", "") else _Packed(limit, place, packed)
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                unpacked.feed(chunk)
    except TimeoutError:
        raise Refused(408, f"The body did not come within {seconds:g} seconds.") from None
    except ClientDisconnect:
        raise Refused(400, "The body ended early.") from None
    return unpacked.whole()


class _Plain:
    def __init__(self, limit: int, place: Place) -> None:
        self._limit = limit
        self._place = place
        self._content = bytearray()

    def feed(self, chunk: bytes) -> None:
        if len(self._content) + len(chunk) > self._limit:
            raise Refused(413, f"The body is longer than {self._limit} bytes.")
        self._place.take(len(chunk))
        self._content += chunk

    def whole(self) -> bytes:
        return bytes(self._content)


class _Packed(_Plain):
    def __init__(self, limit: int, place: Place, encoding: str) -> None:
        super().__init__(limit, place)
        self._read = 0
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16 if encoding == "gzip" else zlib.MAX_WBITS)

    def feed(self, chunk: bytes) -> None:
        self._read += len(chunk)
        try:
            while chunk:
                super().feed(self._inflate.decompress(chunk, _PIECE))
                if len(self._content) > _FREE + RATIO * self._read:
                    raise Refused(413, f"The body unpacks to more than {RATIO} times its size.")
                chunk = self._inflate.unconsumed_tail
        except zlib.error:
            raise Refused(400, "The body is not packed as it says.") from None

    def whole(self) -> bytes:
        if not self._inflate.eof or self._inflate.unused_data:
            raise Refused(400, "The packed body ended early, or something follows it.")
        return super().whole()
