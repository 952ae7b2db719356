"""A warm parent that forks the harness's processes, so that each costs milliseconds and is a real one.

`Nursery` starts it; it has no threads, so a fork of it is safe. Children die with it, and it dies with its maker.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
_PR_SET_PDEATHSIG = 1


class Nursery:
    """Forks children that run a role of `roles.py`, and tells how they ended. Not for several threads at once."""

    def __init__(self, log: Path) -> None:
        ours, theirs = socket.socketpair()
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "nursery.py"), str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=ROOT,
            )
        theirs.close()
        self._line = ours.makefile("rwb")
        self._socket = ours
        self._alive: set[int] = set()

    def fork(self, role: str, **spec: Any) -> int:
        """A new child in this role; its process id."""
        pid = int(self._ask({"fork": role, "spec": spec}))
        self._alive.add(pid)
        return pid

    def wait(self, pid: int) -> int:
        """Wait until a child ends; its exit code, negative for a signal. Until then its id is not used again."""
        self._alive.discard(pid)
        return int(self._ask({"wait": pid}))

    def ended(self, pid: int) -> int | None:
        """How a child ended, None while it runs."""
        said = self._ask({"look": pid})
        if said is None:
            return None
        self._alive.discard(pid)
        return int(said)

    def kill(self, pid: int, number: int = signal.SIGKILL) -> int:
        """End a child with a signal and wait for it."""
        os.kill(pid, number)
        if number == signal.SIGKILL:
            return self.wait(pid)
        return 0

    def close(self) -> None:
        """End every child that is left, then the nursery."""
        for pid in list(self._alive):
            self.kill(pid)
        self._line.close()
        self._socket.close()
        self._process.wait(10)

    def _ask(self, question: dict[str, Any]) -> Any:
        self._line.write(json.dumps(question).encode() + b"\n")
        self._line.flush()
        answer = self._line.readline()
        if not answer:
            raise RuntimeError(f"the nursery is gone; look into {self.log}")
        return json.loads(answer)


def die_with_parent(parent: int) -> None:
    """The kernel ends this process when its parent ends, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _run(role: str, spec: dict[str, Any]) -> int:
    try:
        done = importlib.import_module("roles").ROLES[role](**spec)
    except BaseException:  # noqa: BLE001 - whatever it is, it belongs into the log and ends this child alone
        traceback.print_exc()
        return 1
    return int(done or 0)


def _fork(line: int, role: str, spec: dict[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent(parent)
        os.close(line)
        code = _run(role, spec)
        sys.stderr.flush()
    finally:
        os._exit(code)


def _serve(line: Any, number: int) -> None:
    while question := line.readline():
        asked = json.loads(question)
        answer: Any
        if "fork" in asked:
            answer = _fork(number, asked["fork"], asked["spec"])
        elif "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            pid, status = os.waitpid(asked["look"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        line.write(json.dumps(answer).encode() + b"\n")
        line.flush()


def _main() -> None:
    die_with_parent(int(sys.argv[2]))
    sys.path[:0] = [str(ROOT), str(HERE), str(HERE.parent / "flows")]
    importlib.import_module("roles")
    with socket.socket(fileno=int(sys.argv[1])) as mine, mine.makefile("rwb") as line:
        _serve(line, mine.fileno())
    os._exit(0)


if __name__ == "__main__":
    _main()
