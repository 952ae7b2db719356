"""Starts children in order, keeps them running, and stops them in reverse order, leaving no process behind."""

from __future__ import annotations

import atexit
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType, TracebackType

from landbridge.errors import Unavailable
from landbridge.supervise._child import Child, State, Status
from landbridge.supervise._watch import Watch

_REAPER = Path(__file__).with_name("_reaper.py")
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """Keeps children running until it is told to stop; `tell` hears every change of state, from threads."""

    def __init__(self, children: Iterable[Child], *, tell: Callable[[Status], None] | None = None) -> None:
        self._children = list(children)
        names = [child.name for child in self._children]
        if len(set(names)) != len(names):
            raise ValueError(f"two children have the same name: {', '.join(sorted(names))}")
        self._tell = tell or (lambda status: None)
        self._mark = (f"LANDBRIDGE_SUPERVISED_{secrets.token_hex(8)}", "1")
        self._watches: list[Watch] = []
        self._reaper: subprocess.Popen[bytes] | None = None
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stop_lock = threading.RLock()
        self._stop_asked = False

    def start(self) -> None:
        """Start the children one after the other, each when the one before is ready (or, `never`, done).

        Unavailable when one cannot be made ready; the others are stopped then.
        """
        atexit.register(self.stop)
        self._start_reaper()
        try:
            for child in self._children:
                if self._stop_asked:
                    return
                self._start_child(child)
        except BaseException:
            self.stop()
            raise

    def run(self) -> int:
        """Start, block until a signal, `ask_stop` or a failed `never` child (then 1), stop; the exit code."""
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            self.start()
            poll = select.poll()
            poll.register(self._wake, select.POLLIN)
            while not self._stop_asked:
                poll.poll()
                os.eventfd_read(self._wake)
            return int(any(status.state is State.FAILED for status in self.status()))
        finally:
            self.stop()
            for number, previous in before.items():
                signal.signal(number, previous)

    def ask_stop(self) -> None:
        """Make `run` (or a start under way) come to its end; from any thread or signal."""
        self._stop_asked = True  # no lock, no Event: a signal may come while this very thread holds theirs
        os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """Stop every child, the last started first, and return when nothing of them is left."""
        with self._stop_lock:
            self._stop_asked = True
            for watch in reversed(self._watches):
                watch.ask_stop()
                watch.join()
            if self._reaper is not None:
                assert self._reaper.stdin is not None
                self._reaper.stdin.close()  # it looks once more and ends
                self._reaper.wait()
                self._reaper = None
            atexit.unregister(self.stop)

    def status(self) -> list[Status]:
        """Every child as it is now, in the order of starting; those not reached yet are waiting."""
        known = [watch.status() for watch in list(self._watches)]
        rest = self._children[len(known) :]
        return known + [Status(child.name, State.WAITING, None, 0, 0.0, "", child.log) for child in rest]

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_child(self, child: Child) -> None:
        mark = self._mark[0]
        env = dict(os.environ if child.env is None else child.env)
        # SPT_NOENV: setproctitle would otherwise write the title over the environment, and the marks with it.
        env |= {mark: self._mark[1], f"{mark}_CHILD": child.name, "SPT_NOENV": "1"}
        watch = Watch(child, env, f"{mark}_CHILD={child.name}", self._tell, self.ask_stop)
        self._watches.append(watch)
        watch.start()
        until = time.monotonic() + child.ready_within
        settled = False
        while not settled and not self._stop_asked and (child.ready is None or time.monotonic() < until):
            settled = watch.settled.wait(0.1)
        status = watch.status()
        if self._stop_asked and status.state is not State.FAILED:
            return
        if not settled or status.state is State.FAILED:
            why = status.note or f"not ready after {child.ready_within:g} s"
            raise Unavailable(f"{child.name} did not start: {why}.", hint=f"look into {child.log}.", sent=False)

    def _start_reaper(self) -> None:
        grace = max((child.grace for child in self._children), default=0.0)
        self._reaper = subprocess.Popen(  # noqa: S603  # our own program, no shell
            [sys.executable, "-I", "-S", str(_REAPER), "=".join(self._mark), str(grace)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.ask_stop()
