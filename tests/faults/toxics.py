"""A TCP proxy that spoils the line, after Toxiproxy's list: one kind of toxic in one strength.

It runs as a process of its own; `toxic` and `strength` are read from a file for every piece that passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

TOXICS = ("latency", "jitter", "bandwidth", "slicer", "reset", "limit", "half_close", "timeout")
STRENGTHS = (1, 2, 3)
SHARE = {1: 0.1, 2: 0.2, 3: 0.35}
"""Of the lines that break: the share by strength."""


@dataclass
class Spoiled:
    """What is wrong with the line now."""

    toxic: str
    strength: int


class Proxy:
    """Passes bytes on, as badly as it is told."""

    def __init__(self, target: int, told: Path, seed: int) -> None:
        self.target, self.told = target, told
        self.dice = random.Random(seed)

    @property
    def now(self) -> Spoiled:
        return Spoiled(**json.loads(self.told.read_text()))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One line, both ways."""
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(self._pass(reader, back, "up")),
            asyncio.create_task(self._pass(there, writer, "down")),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for line in (writer, back):
            with contextlib.suppress(OSError):
                line.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while piece := await reader.read(65536):
                now = self.now
                act: Callable[..., Awaitable[bool]] = getattr(self, f"_{now.toxic}")
                if not await act(piece, writer, way, now.strength):
                    return

    def _breaks(self, strength: int) -> bool:
        return self.dice.random() < SHARE[strength] / 2  # asked once each way

    async def _latency(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        await asyncio.sleep(0.02 * strength)
        return await _write(writer, piece)

    async def _jitter(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        long = self._breaks(strength)
        await asyncio.sleep(self.dice.uniform(0.2, 0.3 + 0.1 * strength) if long else 0)
        return await _write(writer, piece)

    async def _bandwidth(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        for at in range(0, len(piece), 64):
            await asyncio.sleep(0.004 * strength)
            await _write(writer, piece[at : at + 64])
        return True

    async def _slicer(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        size = 48 // strength**2
        for at in range(0, len(piece), size):
            await _write(writer, piece[at : at + size])
            await asyncio.sleep(0)
        return True

    async def _reset(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        if not self._breaks(strength):
            return await _write(writer, piece)
        line: socket.socket = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    async def _limit(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        """Bytes stop in the middle."""
        if not self._breaks(strength):
            return await _write(writer, piece)
        await _write(writer, piece[: self.dice.randrange(len(piece))])
        return False

    async def _half_close(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        """One side hangs up after its words, and still listens for a while."""
        await _write(writer, piece)
        if not self._breaks(strength):
            return True
        if writer.can_write_eof():
            writer.write_eof()
        await asyncio.sleep(0.3)
        return False

    async def _timeout(self, piece: bytes, writer: asyncio.StreamWriter, way: str, strength: int) -> bool:
        """Nothing passes any more, and nobody says so."""
        if not self._breaks(strength):
            return await _write(writer, piece)
        await asyncio.sleep(0.6)
        return False


async def _write(writer: asyncio.StreamWriter, piece: bytes) -> bool:
    writer.write(piece)
    await writer.drain()
    return True


def run(folder: str, target: int, seed: int) -> None:
    """Serve until this process is ended; the port stands in `proxy` of the folder, the toxic in `toxic`."""
    proxy = Proxy(target, Path(folder) / "toxic", seed)

    async def forever() -> None:
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        told = Path(folder) / "proxy.new"
        told.write_text(str(server.sockets[0].getsockname()[1]))
        told.rename(Path(folder) / "proxy")
        await server.serve_forever()

    asyncio.run(forever())
