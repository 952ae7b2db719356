"""A store that fails says what failed, and nothing of the rows: they are other people's business, also in a log."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from landbridge.store import Store
from landbridge.time import SystemClock


def test_an_error_of_the_store_does_not_show_its_rows(database_url):
    store = Store(database_url, SystemClock())
    with pytest.raises(SQLAlchemyError) as told, store.transaction("test") as connection:
        connection.execute(text("insert into no_such_table values (:body)"), {"body": "Maria Anders, Obere Str. 57"})
    store.close()
    assert "no_such_table" in str(told.value)
    assert "Maria" not in str(told.value) and "Maria" not in repr(told.value)
