"""The database fixtures that every other test stands on."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import create_engine, text

_prepared: list[str] = []
_seen: list[str] = []


def _prepare(url: str) -> None:
    _prepared.append(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("create table t (n int)"))
    engine.connect()  # a connection left open on purpose


@pytest.fixture(scope="module")
def database_template(template_database: Callable[[Callable[[str], None]], str]) -> str:
    """As a folder of tests with a schema would override it."""
    return template_database(_prepare)


@pytest.mark.parametrize("_turn", [1, 2, 3])
def test_each_test_has_a_fresh_database_with_the_schema(database_url: str, _turn: int) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (0,)
        connection.execute("insert into t values (1)")
    assert database_url not in _seen
    _seen.append(database_url)
    assert len(_prepared) == 1


def test_a_test_may_have_several_databases(new_database: Callable[..., str]) -> None:
    assert len({new_database() for _ in range(2)}) == 2
