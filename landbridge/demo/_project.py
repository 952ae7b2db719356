"""The project that the demonstration runs: this one, or a copy in which some files are the other ERP's."""

from __future__ import annotations

import shutil
from pathlib import Path

_PARTS = ("config", "dags", "mappings", "schemas")


def compose(root: Path, theirs: Path | None, folder: Path) -> Path:
    """`root` itself if there is nothing to replace; else a copy of it in `folder` with the files of `theirs`.

    The flows stay the same files: what differs between two ERPs is how they are reached and what belongs to whom.
    """
    if theirs is None:
        return root
    shutil.rmtree(folder, ignore_errors=True)
    for part in _PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(theirs, folder / "config", dirs_exist_ok=True)
    return folder
