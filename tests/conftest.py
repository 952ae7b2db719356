"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _postgres import (  # noqa: F401  # fixtures are found by their names here
    database_template,
    database_url,
    new_database,
    postgres,
    server_home,
    template_database,
)

from sandbox.tryton import Tryton, Unobtainable

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of vendors' specs and sample companies beside the checkout; the test is skipped where it is absent."""
    folder = Path(os.environ.get("LANDBRIDGE_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"needs the shared specs and sample data ({folder} is absent; set LANDBRIDGE_SHARED)")
    return folder


@pytest.fixture(scope="session")
def tryton() -> Iterator[Tryton]:
    """A real Tryton of this session (and xdist worker): `url`, `database`, `user`, `password`, and `people` behind it.

    It is installed when it is first wanted; only where the package index cannot be reached the test is skipped.
    """
    try:
        running = Tryton()
    except Unobtainable as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()
