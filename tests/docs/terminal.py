"""A page's commands typed into a shell, its edits made, its output compared."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from pages import Block

PATIENCE = 60.0
"""Seconds that a command may take on a busy machine."""


class Terminal:
    """A shell that stays open, so that what one command sets is there for the next."""

    def __init__(self, folder: Path, *, python: Path | None = None, **variables: str) -> None:
        bin_ = (python or Path(sys.executable)).parent
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("LANDBRIDGE_E", "LANDBRIDGE_ST", "DEMO_"))
        }
        environment |= {"PATH": f"{bin_}:{os.environ['PATH']}", "TERM": "dumb", "COLUMNS": "80", **variables}
        self.output = folder / f"terminal-{id(self)}.txt"
        with self.output.open("wb") as written:
            self.shell = subprocess.Popen(
                ["bash", "--noprofile", "--norc"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=written,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def type(self, line: str) -> None:
        assert self.shell.stdin is not None
        self.shell.stdin.write(f"{line}\n".encode())
        self.shell.stdin.flush()

    def seen(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, what: str, since: int) -> str:
        until = time.monotonic() + PATIENCE
        while what not in (now := self.seen()[since:]):
            assert time.monotonic() < until, f"no “{what}”; the terminal shows:\n{self.seen()}"
            time.sleep(0.05)
        return now

    def run(self, command: str, number: int) -> tuple[str, int]:
        """What a command prints, and its exit code."""
        since = len(self.seen())
        self.type(f'{command}\necho "::{number}:$?::"')
        shown = self.wait_for(f"::{number}:", since)
        shown = self.wait_for("::\n", since + len(shown.split(f"::{number}:")[0]) + 3) and self.seen()[since:]
        text, _, code = shown.partition(f"::{number}:")
        return text, int(code.split(":")[0])

    def close(self) -> None:
        """Ctrl-C for what runs, then the end of the shell."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if self.shell.poll() is None:
                os.killpg(self.shell.pid, number)
                try:
                    if self.shell.stdin is not None and not self.shell.stdin.closed:
                        self.shell.stdin.close()
                    self.shell.wait(20)
                except subprocess.TimeoutExpired:
                    continue
        if self.shell.poll() is None:
            os.killpg(self.shell.pid, signal.SIGKILL)
            self.shell.wait()


def steps(text: str) -> list[tuple[str, str]]:
    """(command, output) of a console block."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            command, output = found.pop()
            found.append((command, f"{output}{line}\n"))
    return found


def told(expected: str) -> re.Pattern[str]:
    """The output as a pattern: `…` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in expected.strip().split("…")), re.DOTALL)


def edit(folder: Path, block: Block) -> None:
    """Make the change that a diff block shows: its unmarked lines are found, once, and the marked ones added."""
    path = folder / block.marks["file"]
    lines = block.text.splitlines()
    assert all(line[:1] in (" ", "+") for line in lines), f"{block}: a line without its mark"
    before = "\n".join(line[1:] for line in lines if line[0] == " ") + "\n"
    after = "\n".join(line[1:] for line in lines) + "\n"
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{block}: {path.name} does not hold these lines once"
    path.write_text(text.replace(before, after), encoding="utf-8")
