"""Chunks side by side: each lane is a process with a workplace of its own, so that a crash in one disturbs no other."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import chunks
from chunks import Part
from workplace import Workplace, workplace


@dataclass(frozen=True)
class Asked:
    """One chunk of a part, with its seed."""

    part: str
    chunk: int
    seed: int

    def __str__(self) -> str:
        return f"{self.part}, chunk {self.chunk}, seed {self.seed}"


@dataclass(frozen=True)
class Measured:
    """The figures of a chunk and how long it took, in seconds."""

    asked: Asked
    figures: dict[str, Any]
    seconds: float


def measured(part: Part, place: Workplace | None, asked: Asked) -> Measured:
    """Run one chunk; one that fails is told with its seed, and the others go on."""
    began = time.monotonic()
    try:
        found = part.run(place, asked.chunk, asked.seed)  # type: ignore[arg-type]  # None in a test without processes
    except Exception as error:  # noqa: BLE001 - told with its seed
        found = {"failed": 1, "wrongs": [f"{asked}: {type(error).__name__}: {error}"]}
    # a shared machine makes it slow, and slowness is a fault of its own: it is told with the figures
    return Measured(asked, {**found, "longest_load": round(os.getloadavg()[0], 1)}, time.monotonic() - began)


class Lanes:
    """So many lanes; `begin` wants a free one, `wait` gives what the first of them measured."""

    def __init__(self, number: int, run: Callable[[Connection], None] | None = None) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._free: list[Connection] = []
        self._busy: dict[Connection, Asked] = {}
        self._processes = []
        for _ in range(number):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=run or _lane, args=(theirs,))
            process.start()
            theirs.close()
            self._free.append(ours)
            self._processes.append(process)

    @property
    def free(self) -> int:
        """How many lanes have nothing to do."""
        return len(self._free)

    @property
    def busy(self) -> list[Asked]:
        """What is being measured."""
        return list(self._busy.values())

    def begin(self, asked: Asked) -> None:
        """Measure a chunk in a free lane."""
        lane = self._free.pop()
        lane.send(asked)
        self._busy[lane] = asked

    def wait(self) -> Measured:
        """The next chunk that is done; a lane that ended by itself is a chunk that failed, and is not used again."""
        lane = wait(list(self._busy))[0]
        assert isinstance(lane, Connection)
        asked = self._busy.pop(lane)
        try:
            found: Measured = lane.recv()
        except EOFError:
            if not self._free and not self._busy:
                raise RuntimeError(f"{asked}: the last lane ended") from None
            return Measured(asked, {"failed": 1, "wrongs": [f"{asked}: the lane ended"]}, 0.0)
        self._free.append(lane)
        return found

    def close(self) -> None:
        """End every lane; each clears its workplace."""
        for lane in [*self._free, *self._busy]:
            lane.close()
        for process in self._processes:
            process.join()


def _lane(line: Connection) -> None:
    known = {part.name: part for part in chunks.parts()}
    with workplace() as place:
        while True:
            try:
                asked: Asked = line.recv()
            except (EOFError, KeyboardInterrupt):  # whoever asks is gone, or a person stops it
                return
            line.send(measured(known[asked.part], place, asked))
