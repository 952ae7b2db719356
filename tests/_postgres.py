"""Fixtures for tests on PostgreSQL: one server per test session (and xdist worker), a fresh database per test.

`conftest.py` imports them. Tests that want a migrated schema in every `database_url` override one fixture:

    @pytest.fixture(scope="session")
    def database_template(template_database: TemplateDatabase) -> str:
        return template_database(migrate)          # migrate(url) runs once per session
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from psycopg import sql

from landbridge.store.embedded import EmbeddedPostgres
from landbridge.supervise import process

Prepare = Callable[[str], None]
TemplateDatabase = Callable[[Prepare], str]
NewDatabase = Callable[..., str]

_PREFIX = "landbridge-tests-"
_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def server_home() -> Iterator[Path]:
    """A temporary folder that a PostgreSQL server's account can enter; tests leave nothing outside it.

    As root, pytest's own `tmp_path` cannot be entered by that account; servers started there settle in this folder.
    """
    _remove_leftovers()
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    home.chmod(0o711)
    before = os.environ.get("LANDBRIDGE_SERVER_HOME")
    os.environ["LANDBRIDGE_SERVER_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["LANDBRIDGE_SERVER_HOME"]
    else:
        os.environ["LANDBRIDGE_SERVER_HOME"] = before
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server_home: Path) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL server for this session, without fsync; it dies with the session however that ends."""
    server = EmbeddedPostgres(server_home / "postgres", durable=False, die_with_parent=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def template_database(postgres: EmbeddedPostgres) -> TemplateDatabase:
    """Makes templates: `template_database(prepare)` runs `prepare(url)` once and returns the template's name."""
    made: dict[Prepare, str] = {}

    def template(prepare: Prepare) -> str:
        if prepare not in made:
            name = f"template_{len(made) + 1}"
            prepare(postgres.ensure_database(name))
            with postgres.urls().connect("postgres") as connection:
                # A template must have no connection, and a pool that `prepare` forgot would hold one.
                connection.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(name)))
                connection.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,)
                )
            made[prepare] = name
        return made[prepare]

    return template


@pytest.fixture(scope="session")
def database_template() -> str | None:
    """The template of `database_url`: none, an empty database; override it for a migrated schema."""
    return None


@pytest.fixture
def new_database(postgres: EmbeddedPostgres) -> Iterator[NewDatabase]:
    """Makes fresh databases, `new_database(template=None) -> url`; they are dropped after the test."""
    names: list[str] = []

    def new(template: str | None = None) -> str:
        name = f"test_{next(_numbers)}"
        names.append(name)
        return postgres.ensure_database(name, template=template)

    yield new
    for name in names:
        postgres.drop_database(name)


@pytest.fixture
def database_url(new_database: NewDatabase, database_template: str | None) -> str:
    """The SQLAlchemy URL of a fresh database for this test alone."""
    return new_database(template=database_template)


def _remove_leftovers() -> None:
    """Remove the folders of sessions that were killed; their servers died with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if folder.stat().st_uid == os.geteuid() and pid.isdigit() and process(int(pid)) is None:
            shutil.rmtree(folder, ignore_errors=True)
