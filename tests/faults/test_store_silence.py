"""A store that fails says what failed, and nothing of the rows: they are other people's business, also in a log."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from landbridge.store import Store
from landbridge.time import SystemClock

WHO = "Maria Anders"


def test_an_error_of_the_store_does_not_show_its_rows(database_url):
    store = Store(database_url, SystemClock())
    with pytest.raises(SQLAlchemyError) as told, store.transaction("test") as connection:
        connection.execute(text("insert into no_such_table values (:body)"), {"body": "Maria Anders, Obere Str. 57"})
    store.close()
    assert "no_such_table" in str(told.value)
    assert "Maria" not in str(told.value) and "Maria" not in repr(told.value)


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("insert into binding values (:who, 'a', now()), (:who, 'b', now())", "pk_binding"),
        ("select cast(:who as int)", "integer"),
        ("select cast(:who as uuid)", "uuid"),
        ("insert into inbox (id, received_at) values (1, now())", "not-null"),
        ("select * from json_to_recordset(cast(:who as json)) as r (a int)", "json"),
    ],
    ids=["a key that stands", "no number", "no id", "a row that fails", "no json"],
)
def test_an_error_of_the_server_quotes_no_value(database_url, statement, kept):
    store = Store(database_url, SystemClock())
    with pytest.raises(SQLAlchemyError) as told, store.transaction("test") as connection:
        connection.execute(text(statement), {"who": WHO} if ":who" in statement else {})
    store.close()
    whole = "".join(traceback.format_exception(told.value)) + repr(told.value) + str(told.value.orig)
    assert kept in whole
    assert WHO not in whole and "DETAIL" not in whole and "Failing row" not in whole
