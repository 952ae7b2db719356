"""Starts a program in a session of its own, optionally as another user and bound to the life of its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_LAUNCH = Path(__file__).with_name("_launch.py")


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    dies_by: signal.Signals | None = None,
    account: tuple[int, int] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `argv` as leader of a new session, output appended to `log` (0600).

    With `dies_by` the kernel sends that signal when the *thread* that called spawn ends, however it ends: call it from
    a thread that lives as long as the child should. `account` (uid, gid) drops root's rights before the program starts.
    """
    command = list(argv)
    if dies_by is not None or account is not None:
        user = f"{account[0]}:{account[1]}" if account else "-"
        launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(dies_by or 0)), user, "--"]
        command = launch + command
    log.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603  # no shell; the argv comes from our own code
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
        )
    finally:
        os.close(output)
