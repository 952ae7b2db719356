"""One run of a flow whose steps overlap: while one batch is processed, the next is read and the last delivered.

The steps meet in the store only, as they do when different workers run them. What is less than a batch goes step by
step: nothing is gained by threads there.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from landbridge.engine._extract import Extracted
from landbridge.engine._process import Process

Read = Callable[[Callable[[Extracted], None]], Extracted]
"""Reads the feed, telling its counts after every page."""


class Overlap:
    """Reads in a thread, processes here, and delivers in another thread."""

    def __init__(self, read: Read, step: Process, deliver: Callable[[], None], batch: int) -> None:
        self._read = read
        self._step = step
        self._deliver = deliver
        self._batch = batch
        self._news = Event()

    def run(self, told: Callable[[str, int], None]) -> Extracted:
        """Run until the feed is dry and all of it is processed; what is still due is left to one last delivery."""
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="overlap") as pool:
            reading = pool.submit(self._read, self._page)
            reading.add_done_callback(lambda _: self._news.set())
            self._news.wait()
            delivering: Future[None] | None = None
            while True:
                dry = reading.done()
                moved = self._step.batch()
                if moved:
                    told("resolve", moved)
                elif dry:
                    break
                else:
                    self._news.clear()
                    self._news.wait(0.1)
                last = dry and moved < self._batch
                if not last and (delivering is None or delivering.done()):
                    _raise(delivering)
                    delivering = pool.submit(self._deliver)
            _raise(delivering)
            return reading.result()

    def _page(self, counts: Extracted) -> None:
        if counts.new >= self._batch:
            self._news.set()


def _raise(done: Future[None] | None) -> None:
    """Raise what a delivery raised, once it ended."""
    if done is not None:
        done.result()
