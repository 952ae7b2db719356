"""The skeleton of a connector: a package of its own, with its bench, that passes the static checks as it is."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from landbridge.connector import Registry
from landbridge.errors import LandbridgeError

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_FILES = {
    "pyproject.toml": "pyproject.toml.tmpl",
    "landbridge_$name.py": "connector.py.tmpl",
    "tests/bench_$name.py": "bench.py.tmpl",
    "tests/test_contract.py": "test_contract.py.tmpl",
}


def new_connector(name: str, into: Path) -> list[Path]:
    """Write the package `landbridge-NAME` into a folder; its files. Nothing that is there is touched."""
    _refuse(name)
    folder = into / f"landbridge-{name.replace('_', '-')}"
    if folder.exists():
        raise LandbridgeError(f"{folder} is there already.", hint="Choose another name, or take that folder away.")
    known = {
        "name": name,
        "package": folder.name,
        "title": " ".join(word.capitalize() for word in name.split("_")),
        "cls": "".join(word.capitalize() for word in name.split("_")),
        "env": name.upper(),
    }
    written = []
    for target, source in _FILES.items():
        path = folder / Template(target).substitute(known)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (files("landbridge.scaffold") / "templates" / source).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(known), encoding="utf-8")
        written.append(path)
    return written


def _refuse(name: str) -> None:
    if not _NAME.fullmatch(name):
        hint = "Use lower-case letters, digits and single underscores, such as spare_parts."
        raise LandbridgeError(f"'{name}' is no name for a connector.", hint=hint)
    if name in Registry():
        hint = f"Known: {', '.join(Registry().names())}. A second system of that product is an entry in systems.yaml."
        raise LandbridgeError(f"there is a connector '{name}' already.", hint=hint)
