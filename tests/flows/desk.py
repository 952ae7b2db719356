"""The command line over memory systems: every command runs as an operator runs it, against a store of the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from landbridge.canonical import Canonical
from landbridge.cli import build, main
from landbridge.engine import Engine
from landbridge.installation import Installation
from landbridge.settings import Installation as Knobs
from landbridge.settings import Settings


class Ran:
    """What one call of the command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Desk:
    """An operator at the command line of an engine."""

    def __init__(self, made: Engine, root: Path, monkeypatch: Any, capsys: Any, canonical: Canonical | None) -> None:
        self.made, self._patch, self._capsys = made, monkeypatch, capsys
        parts = made.parts
        settings = Settings(
            root=root,
            environment="test",
            installation=Knobs(),
            systems={name: SimpleNamespace(connector=name) for name in parts.systems},  # type: ignore[misc]  # only their names are asked
            flows=parts.flows,
            ownership=parts.ownership,
            canonical=canonical or Canonical({}),
            registry=None,  # type: ignore[arg-type]  # no connector is looked up
            revision="test",
        )
        self.installation = Installation(root, settings, parts.store, parts.clock)
        self.installation.__dict__.update(engine=made, systems=parts.systems)

    def __call__(self, *arguments: Any) -> Ran:
        """Run `landbridge ARGUMENTS`."""

        @contextmanager
        def opened(*_: Any, **__: Any) -> Iterator[Installation]:
            yield self.installation

        self._capsys.readouterr()
        self._patch.setattr("landbridge.installation.open_installation", opened)
        self._patch.setattr("sys.argv", ["landbridge", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        said = self._capsys.readouterr()
        return Ran(int(left.value.code or 0), said.out, said.err)


__all__ = ["Desk", "Ran", "build"]
