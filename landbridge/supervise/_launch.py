"""Starts one program that dies when its parent does: `_launch.py PARENT SIGNAL UID:GID|- -- ARGV...`, run by path.

A program of its own rather than `preexec_fn`, which is not safe in a process with threads. It imports nothing of
Landbridge, so that it starts in some milliseconds. Order matters: a change of user clears the death signal, so the
signal is set after it; and a parent that died before that is recognised by the changed parent id.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Become the program named after `--`; never returns."""
    parent, number, account = int(argv[0]), int(argv[1]), argv[2]
    program = argv[4:]
    libc = ctypes.CDLL(None, use_errno=True) if number else None
    if account != "-":
        uid, gid = (int(part) for part in account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)
    try:
        os.execvpe(program[0], program, os.environ)  # noqa: S606  # no shell is the point
    except OSError as error:
        os.write(2, f"cannot start {program[0]}: {error.strerror}\n".encode())
        os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
