"""The life of one child: started, ready, healthy, died, paused, started again, until it is asked to stop.

Each child has a thread of its own, which starts it and stays until it is gone: the death signal of Linux is bound to
the thread that started the child, not to the process.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping

from landbridge.supervise._child import Child, State, Status
from landbridge.supervise._processes import Process, family, send, wait_gone
from landbridge.supervise._spawn import spawn

_UNHEALTHY_AFTER = 3
_READY_EVERY = 0.05
_KILL_WITHIN = 5.0


class Watch:
    """Keeps one child as its declaration says; `settled` is set once it was ready, or ended for good."""

    def __init__(
        self,
        child: Child,
        env: Mapping[str, str],
        mark: str,
        tell: Callable[[Status], None],
        failed: Callable[[], None],
    ) -> None:
        self._thread = threading.Thread(target=self._live, name=f"supervise-{child.name}", daemon=True)
        self.child = child
        self.settled = threading.Event()
        self._env = env
        self._mark = mark
        self._tell = tell
        self._failed = failed
        self._lock = threading.Lock()
        self._state = State.WAITING
        self._changed = time.monotonic()
        self._note = ""
        self._restarts = 0
        self._popen: subprocess.Popen[bytes] | None = None
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stopping = False

    # -- asked from other threads ----------------------------------------------------------------------------------

    def status(self) -> Status:
        """What is so now."""
        with self._lock:
            pid = self._popen.pid if self._popen else None
            since = time.monotonic() - self._changed
            return Status(self.child.name, self._state, pid, self._restarts, since, self._note, self.child.log)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the child ended for good and nothing of it is left."""
        self._thread.join()

    def ask_stop(self) -> None:
        """Ask the child to end; `join` waits until nothing of it is left."""
        with self._lock:
            self._stopping = True
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        pause = self.child.first_pause
        try:
            while not self._stopping:
                began = time.monotonic()
                reason = self._one_life()
                if self._stopping:
                    break
                if self.child.restart == "never":
                    self._set(State.ENDED if reason == "exit 0" else State.FAILED, reason)
                    return
                if time.monotonic() - began >= self.child.settled_after:
                    pause = self.child.first_pause
                with self._lock:
                    self._restarts += 1
                self._set(State.WAITING, f"{reason}; again in {pause:g} s")
                self._wait(None, pause)
                pause = min(pause * 2, self.child.longest_pause)
            self._set(State.ENDED, self._note)
        finally:
            if self._state not in (State.ENDED, State.FAILED):
                self._set(State.FAILED, "its supervision ended by an error")
            with self._lock:
                os.close(self._wake)
                self._wake = -1
            self.settled.set()
            if self._state is State.FAILED:
                self._failed()

    def _one_life(self) -> str:
        """Start the child, stay until it ended, clean up behind it; returns why it ended."""
        self._set(State.STARTING, self._note)
        child = self.child
        try:
            popen = spawn(child.argv, log=child.log, env=self._env, cwd=child.cwd, dies_by=signal.SIGTERM)
        except OSError as error:
            return f"cannot start: {error.strerror}"
        with self._lock:
            self._popen = popen
        reason = ""
        try:
            reason = self._until_ready(popen) or self._while_healthy(popen)
        finally:
            self._end(popen)
            with self._lock:
                self._popen = None
        return reason or _end_of(popen)

    def _until_ready(self, popen: subprocess.Popen[bytes]) -> str:
        """Wait until the child is ready (empty), ended (empty) or took too long (why)."""
        until = time.monotonic() + self.child.ready_within
        while self.child.ready is not None and not _yes(self.child.ready):
            if time.monotonic() > until:
                return f"not ready after {self.child.ready_within:g} s"
            if self._wait(popen, _READY_EVERY):
                return ""
        if not _ended(popen) and not self._stopping:
            self._set(State.READY, self._note)
            if self.child.restart == "always" or self.child.ready is not None:
                self.settled.set()
        return ""

    def _while_healthy(self, popen: subprocess.Popen[bytes]) -> str:
        """Wait until the child ended or a stop is asked (empty), or it stays unhealthy (why)."""
        sick = 0
        while not self._wait(popen, self.child.health_every if self.child.healthy else None):
            sick = 0 if self.child.healthy is None or _yes(self.child.healthy) else sick + 1
            if sick >= _UNHEALTHY_AFTER:
                return f"not healthy {sick} times in a row"
        return ""

    def _wait(self, popen: subprocess.Popen[bytes] | None, seconds: float | None) -> bool:
        """Sleep until the time is over (False), or the child ended or a stop is asked (True)."""
        if self._stopping or (popen is not None and _ended(popen)):
            return True
        ended = os.pidfd_open(popen.pid) if popen is not None else None
        try:
            poll = select.poll()
            poll.register(self._wake, select.POLLIN)
            if ended is not None:
                poll.register(ended, select.POLLIN)
            poll.poll(None if seconds is None else max(0.0, seconds) * 1000)
        finally:
            if ended is not None:
                os.close(ended)
        return self._stopping or (popen is not None and _ended(popen))

    def _end(self, popen: subprocess.Popen[bytes]) -> None:
        """End the child and everything it started: ask all, kill after the grace, look that all are gone."""
        if self._stopping:
            self._set(State.STOPPING, self._note)
        everyone = family(popen.pid, self._mark)
        send(everyone, signal.SIGTERM)
        left = self._wait_all(popen, everyone, self.child.grace)
        while left:
            send(left, signal.SIGKILL)
            left = self._wait_all(popen, left, _KILL_WITHIN)
        popen.wait()

    def _wait_all(self, popen: subprocess.Popen[bytes], known: list[Process], within: float) -> list[Process]:
        """Wait for all of these and for whatever they start meanwhile; returns those that are left."""
        until = time.monotonic() + within
        while True:
            wait_gone(known, until - time.monotonic())
            left = family(popen.pid, self._mark)
            if not left or time.monotonic() >= until:
                return left
            known = left

    def _set(self, state: State, note: str) -> None:
        with self._lock:
            self._state, self._note, self._changed = state, note, time.monotonic()
        with contextlib.suppress(Exception):  # a display that fails must not end the watch
            self._tell(self.status())


def _yes(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except Exception:  # noqa: BLE001  # a check that fails in any way means not ready; it must not end the watch
        return False


def _ended(popen: subprocess.Popen[bytes]) -> bool:
    """Whether the child ended; it stays a zombie, so that its pid, the session's id, is not used again."""
    return os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_of(popen: subprocess.Popen[bytes]) -> str:
    code = popen.returncode
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
