"""The project that the demonstration runs, this one or a copy with other files, and how other terminals find it."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

_PARTS = ("config", "dags", "mappings", "schemas")


def compose(root: Path, theirs: Path | None, folder: Path) -> Path:
    """`root` itself if there is nothing to replace; else a copy of it in `folder` with the files of `theirs`.

    The project's flows stay the same files: what differs between two ERPs is how they are reached and what belongs to
    whom. A third system brings flows of its own.
    """
    if theirs is None:
        return root
    shutil.rmtree(folder, ignore_errors=True)
    for part in _PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(theirs, folder / "config", dirs_exist_ok=True)
    return folder


def write_variables(path: Path, variables: dict[str, str]) -> None:
    """A file that a shell reads with `.`; its owner's alone, since it holds the passwords of the sandbox."""
    path.unlink(missing_ok=True)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.writelines(lines)
