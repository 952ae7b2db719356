"""Ends what a supervisor started when the supervisor itself was killed: `_reaper.py MARK GRACE`, run by path.

It waits for the end of its standard input, whose other side only the supervisor holds. The death signal of Linux
ends the supervisor's children; this finds what those leave behind.
It loads its neighbour by path, nothing else of Landbridge.
"""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path
from types import ModuleType


def _processes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_processes", Path(__file__).with_name("_processes.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["_processes"] = module
    spec.loader.exec_module(module)
    return module


def main(mark: str, grace: float) -> None:
    """Wait for the supervisor's end, then end whatever carries its mark."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processes = _processes()
    while sys.stdin.buffer.read(1):
        pass
    left = processes.family(None, mark)
    processes.send(left, signal.SIGTERM)
    processes.wait_gone(left, grace)
    while left := processes.family(None, mark):
        processes.send(left, signal.SIGKILL)
        processes.wait_gone(left, 1.0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
