"""The SQL connector beyond the contract suite: PostgreSQL's unpleasant parts, SQLite files, other dialects' words."""

from __future__ import annotations

import dataclasses
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import Connection
from pydantic import ValidationError
from sqlalchemy import Column, Integer, MetaData, String, Table
from sqlalchemy.dialects import mysql

from connectors.sql import Sql, SqlConfig
from connectors.sql._cursor import set_back
from connectors.sql._errors import failure_of
from connectors.sql._write import _upsert
from landbridge.connector import Delivered, LineWrite, Row, Write
from landbridge.errors import Conflict, Denied, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.time import ManualClock


class Lab:
    """One database: administered by `run`, used through connectors."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = ManualClock()
        self.opened: list[Sql] = []
        self.admin: Connection[Any] | None = None
        if url.startswith("postgresql"):
            self.admin = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement behind the connector's back."""
        assert self.admin is not None
        found = self.admin.execute(statement, values or None)  # type: ignore[call-overload]  # a test's own text
        return list(found.fetchall()) if found.description else []

    def connector(self, entities: dict[str, Any], net: dict[str, Any] | None = None, **config: Any) -> Sql:
        """A connector with these entities."""
        url = config.pop("url", None) or Secret.plain(self.url)
        parsed = SqlConfig.model_validate({"url": url, "entities": entities, "page_size": 3, **config})
        settings = NetSettings.model_validate({"read": 3, "concurrency": 2, **(net or {})})
        made = Sql("erp", parsed, open_http("erp", parsed, settings, clock=self.clock), self.clock)
        self.opened.append(made)
        return made

    def close(self) -> None:
        """Close everything."""
        for each in self.opened:
            each.close()
        if self.admin is not None:
            self.admin.close()


@pytest.fixture
def lab(new_database: Callable[..., str]) -> Iterator[Lab]:
    made = Lab(new_database())
    yield made
    made.close()


@pytest.fixture
def file_lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(f"sqlite:///{tmp_path / 'erp.db'}")
    yield made
    made.close()


def rows_of(connector: Sql, entity: str, since: str | None = None) -> list[Row]:
    return [row for page in connector.read(entity, since) for row in page.rows]


def bodies_of(connector: Sql, entity: str) -> list[dict[str, Any]]:
    return [row.body for row in rows_of(connector, entity) if row.body is not None]


def create(reference: str, **after: Any) -> Write:
    return Write("customer", "create", uuid4(), 1, f"key-{reference}", reference, after, dict(after))


def only(connector: Sql, write: Write) -> Any:
    [outcome] = connector.write(write.entity, [write])
    return outcome


PARTNERS = (
    "CREATE TABLE partners (id serial PRIMARY KEY, name varchar(20) NOT NULL, vat varchar(20) UNIQUE, "
    "version int NOT NULL DEFAULT 1, ref varchar(80) UNIQUE)"
)
V = "DE-SECRET-1"
PARTNER: dict[str, Any] = {"customer": {"table": "partners", "key": "id", "reference": "ref"}}


# -- values ------------------------------------------------------------------------------------------------------------


def test_values_are_exact(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE t (id int PRIMARY KEY, price numeric(30,12), day date, at timestamptz, local timestamp, "
        "id2 uuid, doc jsonb, tags text[], flag boolean, clock time)"
    )
    lab.run(
        "INSERT INTO t VALUES (1, 12345678901234567.000000000001, '2026-03-29', '2026-03-29 02:30:00.123456+00', "
        "'2026-10-25 12:00', '6f2c1f7e-0000-4000-8000-000000000001', '{\"n\": 0.1000000000000000000001}', "
        "ARRAY['北', 'b'], true, '08:30')"
    )
    [body] = bodies_of(lab.connector({"customer": {"table": "t", "key": "id"}}, zone="Europe/Berlin"), "customer")
    assert body == {
        "id": 1,
        "price": Decimal("12345678901234567.000000000001"),
        "day": "2026-03-29",
        "at": "2026-03-29T02:30:00.123456+00:00",
        "local": "2026-10-25T11:00:00+00:00",
        "id2": "6f2c1f7e-0000-4000-8000-000000000001",
        "doc": {"n": Decimal("0.1000000000000000000001")},
        "tags": ["北", "b"],
        "flag": True,
        "clock": "08:30:00",
    }


def test_json_of_a_statement_is_exact_too(lab: Lab) -> None:
    statement = "SELECT 1 AS id, '{\"n\": 0.1000000000000000000001}'::jsonb AS doc"
    [body] = bodies_of(lab.connector({"customer": {"statement": statement, "key": "id"}}), "customer")
    assert body["doc"] == {"n": Decimal("0.1000000000000000000001")}


@pytest.mark.parametrize("column", ["picture bytea DEFAULT '\\x00ff'", "span interval DEFAULT '1 day'"])
def test_what_json_has_not_is_refused_by_name(lab: Lab, column: str) -> None:
    lab.run(f"CREATE TABLE t (id int PRIMARY KEY, {column})")
    lab.run("INSERT INTO t (id) VALUES (1)")
    with pytest.raises(Rejected, match=column.split()[0]):
        rows_of(lab.connector({"customer": {"table": "t", "key": "id"}}), "customer")
    if column.startswith("picture"):
        [body] = bodies_of(lab.connector({"customer": {"table": "t", "key": "id"}}, binary="base64"), "customer")
        assert body["picture"] == "AP8="


def test_a_value_that_does_not_fit_its_column_is_rejected_by_name_and_not_guessed(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE t (id serial PRIMARY KEY, n int, d date, b boolean, at timestamp, s varchar(3), ref text UNIQUE)"
    )
    connector = lab.connector({"customer": {"table": "t", "key": "id", "reference": "ref"}})
    wrong = {"n": "1.5", "d": "29.03.2026", "b": "yes", "at": "2026-01-05T08:00:00Z", "s": "four", "nn": 1}
    outcomes = connector.write("customer", [create(name, **{name: value}) for name, value in wrong.items()])
    for name, outcome in zip(wrong, outcomes, strict=True):
        assert isinstance(outcome, Rejected), name
        assert f"column {name} " in outcome.message and outcome.hint
    assert lab.run("SELECT count(*) FROM t") == [(0,)]


# -- stamps ------------------------------------------------------------------------------------------------------------


def test_naive_stamps_need_a_zone(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, at timestamp NOT NULL)")
    lab.run("INSERT INTO t VALUES (1, '2026-01-05 08:30')")
    entity = {"customer": {"table": "t", "key": "id", "changed": "at"}}
    with pytest.raises(Denied, match="no time zone"):
        rows_of(lab.connector(entity), "customer")
    [row] = rows_of(lab.connector(entity, zone="Europe/Berlin"), "customer")
    assert row.stamp == "2026-01-05T07:30:00+00:00"


def test_local_clocks_set_back_widen_the_overlap() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert set_back(datetime(2026, 10, 25, 2, 59), berlin) == 3600  # noqa: DTZ001 - a naive column's value
    assert set_back(datetime(2026, 10, 26, 2, 59), berlin) == 0  # noqa: DTZ001 - the same
    assert set_back(datetime(2026, 3, 29, 3, 10), berlin) == 0  # noqa: DTZ001 - the same


def test_a_change_in_the_hour_that_comes_twice_is_found(lab: Lab) -> None:
    lab.clock.advance(datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("UTC")) - lab.clock.now())
    lab.run("CREATE TABLE t (id int PRIMARY KEY, at timestamp NOT NULL)")
    lab.run("INSERT INTO t VALUES (1, '2026-10-25 02:55')")
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "at"}}, zone="Europe/Berlin")
    [page] = connector.read("customer", None)
    lab.run("INSERT INTO t VALUES (2, '2026-10-25 02:10')")  # 25 minutes later: the clock was set back at 03:00
    assert "2" in {row.key for row in rows_of(connector, "customer", page.cursor)}


def test_rows_without_a_stamp_are_refused_or_read_each_time(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, written timestamptz, made timestamptz)")
    lab.run("INSERT INTO t VALUES (1, '2026-01-05 07:00Z', NULL)")
    base = {"table": "t", "key": "id", "changed": "written"}
    refuse, epoch = lab.connector({"customer": base}), lab.connector({"customer": {**base, "nulls": "epoch"}})
    either = lab.connector({"customer": {**base, "changed": ["written", "made"]}})
    [page] = epoch.read("customer", None)
    lab.run("INSERT INTO t VALUES (2, NULL, '2026-01-05 06:00Z')")
    with pytest.raises(Rejected, match="no stamp"):
        rows_of(refuse, "customer")
    cursor = page.cursor
    for number in (3, 4, 5):  # long after the last stamp, when the window has settled
        lab.clock.advance(1000)
        lab.run("INSERT INTO t VALUES (%s, NULL, '2026-01-05 06:30Z')", number)
        pages = list(epoch.read("customer", cursor))
        cursor = pages[-1].cursor
        assert {"2", str(number)} <= {row.key for page in pages for row in page.rows}
    assert [row.key for row in rows_of(either, "customer")] == ["2", "3", "4", "5", "1"]


def test_a_row_stamped_in_the_future_hides_no_others(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL)")
    lab.run("INSERT INTO t VALUES (1, '2026-01-05 07:00Z'), (2, '2999-01-01 00:00Z')")
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "at"}})
    [page] = connector.read("customer", None)
    assert [row.key for row in page.rows] == ["1"]
    lab.run("INSERT INTO t VALUES (3, '2026-01-05 07:30Z')")
    assert "3" in {row.key for row in rows_of(connector, "customer", page.cursor)}


def test_days_as_stamps_are_read_again_whole(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, day date NOT NULL)")
    lab.run("INSERT INTO t SELECT i, '2026-01-05' FROM generate_series(1, 8) i")
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "day"}})
    pages = list(connector.read("customer", None))
    assert len([row for page in pages for row in page.rows]) == 8
    lab.run("INSERT INTO t VALUES (9, '2026-01-05')")
    assert "9" in {row.key for row in rows_of(connector, "customer", pages[-1].cursor)}


def test_a_statement_is_read_by_since(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL)")
    lab.run("INSERT INTO t SELECT i, '2026-01-05 07:00Z'::timestamptz + i * interval '1m' FROM generate_series(1, 8) i")
    statement = "SELECT id, at AS changed, 'a:b' AS x FROM t WHERE at >= :since"
    connector = lab.connector({"customer": {"statement": statement, "key": "id", "changed": "changed"}}, overlap=60)
    pages = list(connector.read("customer", None))
    assert [row.key for page in pages for row in page.rows] == [str(i) for i in range(1, 9)]
    lab.run("INSERT INTO t VALUES (9, '2026-01-05 07:09Z')")
    assert [row.key for row in rows_of(connector, "customer", pages[-1].cursor)] == ["7", "8", "9"]
    assert [row.key for row in connector.fetch("customer", ["3", "x"])] == ["3", "x"]


@pytest.mark.parametrize(
    ("entity", "said"),
    [
        ({"statement": "SELECT 1 AS id; DROP TABLE t", "key": "id"}, "semicolon"),
        ({"statement": "SELECT :who AS id", "key": "id"}, ":who"),
        ({"statement": "SELECT 1 AS id WHERE :since < now()", "key": "id"}, "changed"),
        ({"statement": "SELECT 1 AS id", "key": "id", "reference": "r"}, "only read"),
        ({"table": "t", "statement": "SELECT 1", "key": "id"}, "either"),
        ({"table": "t", "key": "id", "write": ["a"]}, "reference"),
        ({"table": "t", "key": "id", "zone": "Berlin"}, "no time zone"),
        ({"table": "t", "key": ["a", "b"], "lines": {"table": "l", "parent": "p", "key": "k"}}, "as many columns"),
    ],
)
def test_a_configuration_that_cannot_work_says_why(entity: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SqlConfig.model_validate({"url": "env:X", "entities": {"customer": entity}})


# -- keys and snapshots ------------------------------------------------------------------------------------------------


def test_keys_of_several_columns_are_one_text_and_come_in_its_order(lab: Lab) -> None:
    lab.run("CREATE TABLE t (a text, b int, v int, PRIMARY KEY (a, b))")
    lab.run(
        "INSERT INTO t SELECT x, i, i FROM unnest(ARRAY['a/b', 'a', 'B', 'ä', '~1', 'a~']) x, generate_series(1, 11) i"
    )
    connector = lab.connector({"customer": {"table": "t", "key": ["a", "b"]}})
    rows = rows_of(connector, "customer")
    keys = [each.key for each in connector.keys("customer")]
    assert len(rows) == 66 and len({row.key for row in rows}) == 66
    assert keys == sorted(row.key for row in rows)
    for row in connector.fetch("customer", ["a~1b/7", "~01/2", "nonsense", "a/x", "a/99"]):
        assert (row.body or {}).get("a") == {"a~1b/7": "a/b", "~01/2": "~1"}.get(row.key)


def test_uuids_are_keys_too(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE t (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz DEFAULT '2026-01-05 07:00Z')"
    )
    lab.run("INSERT INTO t SELECT FROM generate_series(1, 10)")
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "at"}})
    found: list[str] = []
    cursor: str | None = None
    for _ in range(4):  # three to a page, all of one instant, each time from the stored cursor
        page = next(connector.read("customer", cursor))
        cursor = page.cursor
        found += [row.key for row in page.rows]
    assert sorted(found) == [key for (key,) in lab.run("SELECT id::text FROM t ORDER BY 1")]
    assert [row.key for row in connector.fetch("customer", found[:1]) if row.body] == found[:1]


def test_a_snapshot_is_one_view_and_complete_only_at_its_end(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, gone boolean NOT NULL DEFAULT false)")
    lab.run("INSERT INTO t SELECT i, i = 4 FROM generate_series(1, 8) i")
    connector = lab.connector({"customer": {"table": "t", "key": "id", "deleted": "gone"}})
    pages = connector.read("customer", None)
    seen = [next(pages)]
    lab.run("INSERT INTO t VALUES (100), (101)")
    lab.run("DELETE FROM t WHERE id = 7")
    seen += pages
    assert [row.key for page in seen for row in page.rows] == ["1", "2", "3", "5", "6", "7", "8"]
    assert [page.complete for page in seen] == [False] * (len(seen) - 1) + [True]
    assert seen[-1].total == 7


def test_a_snapshot_whose_keys_are_not_unique_is_never_complete(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int, v int)")
    lab.run("INSERT INTO t SELECT i / 4, i FROM generate_series(1, 12) i")
    pages = list(lab.connector({"customer": {"table": "t", "key": "id"}}).read("customer", None))
    assert not any(page.complete for page in pages), "rows of one key fell between two pages"


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_constraint_is_named_and_the_row_is_not_quoted(lab: Lab) -> None:
    lab.run(PARTNERS)
    connector = lab.connector(PARTNER)
    outcomes = connector.write(
        "customer", [create(name.lower(), name=name, vat=vat) for name, vat in (("A", V), ("B", V), ("C", None))]
    )
    assert isinstance(outcomes[1], Rejected)
    assert "partners_vat_key" in outcomes[1].message and outcomes[1].status == "23505"
    assert V not in str(outcomes[1])
    assert [name for (name,) in lab.run("SELECT name FROM partners ORDER BY id")] == ["A", "C"]


def test_a_deferred_constraint_refuses_its_own_record_only(lab: Lab) -> None:
    lab.run(PARTNERS + "")
    lab.run("ALTER TABLE partners ADD parent int REFERENCES partners DEFERRABLE INITIALLY DEFERRED")
    outcomes = lab.connector(PARTNER).write(
        "customer", [create("a", name="A"), create("b", name="B", parent=999), create("c", name="C")]
    )
    assert [type(each) for each in outcomes] == [Delivered, Rejected, Delivered]
    assert lab.run("SELECT ref FROM partners ORDER BY ref") == [("a",), ("c",)]


def test_a_locked_row_is_unavailable_and_holds_up_no_other(lab: Lab) -> None:
    lab.run(PARTNERS)
    connector = lab.connector(PARTNER, net={"read": 0.6})
    first, second = connector.write("customer", [create("a", name="A"), create("b", name="B")])
    assert isinstance(first, Delivered) and isinstance(second, Delivered)
    with psycopg.connect(lab.url.replace("+psycopg", "")) as other:
        other.execute("UPDATE partners SET name = 'held' WHERE ref = 'a'")
        changed = [
            dataclasses.replace(create(r, name="new"), action="update", target_id=each.target_id, before={})
            for r, each in (("a", first), ("b", second))
        ]
        outcomes = connector.write("customer", changed)
        other.rollback()
    assert isinstance(outcomes[0], Unavailable) and outcomes[0].status == "55P03"
    assert isinstance(outcomes[1], Delivered)
    assert lab.run("SELECT ref, name FROM partners ORDER BY ref") == [("a", "A"), ("b", "new")]


def test_two_writers_of_one_reference_make_one_row(lab: Lab) -> None:
    lab.run(PARTNERS)
    connectors = [lab.connector(PARTNER) for _ in range(2)]
    outcomes: list[Any] = []

    def write(connector: Sql) -> None:
        outcomes.extend(connector.write("customer", [create(f"r{i}", name=f"N{i}") for i in range(20)]))

    threads = [threading.Thread(target=write, args=(each,)) for each in connectors]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert all(isinstance(each, Delivered) for each in outcomes), outcomes
    assert lab.run("SELECT count(*), count(DISTINCT ref) FROM partners") == [(20, 20)]


def test_an_expected_version_that_is_gone_is_a_conflict_with_both_values(lab: Lab) -> None:
    lab.run(PARTNERS)
    connector = lab.connector({"customer": {**PARTNER["customer"], "version": "version"}})
    made = only(connector, create("a", name="A"))
    change = dataclasses.replace(
        create("a", name="ours"), action="update", target_id=made.target_id, before={"name": "A"}, expected=made.version
    )
    assert only(connector, change).version == "2"
    lab.run("UPDATE partners SET name = 'theirs', version = 9")
    again = dataclasses.replace(change, expected="2")
    outcome = only(connector, again)
    assert isinstance(outcome, Conflict)
    assert (outcome.ours, outcome.theirs["name"]) == ({"name": "ours"}, "theirs")
    lab.run("DELETE FROM partners")
    gone = only(connector, again)
    assert isinstance(gone, Conflict) and "not there any more" in gone.message


def test_what_the_database_made_of_it_is_returned(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run(
        "CREATE FUNCTION upper_name() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$"
    )
    lab.run("CREATE TRIGGER t BEFORE INSERT OR UPDATE ON partners FOR EACH ROW EXECUTE FUNCTION upper_name()")
    made = only(lab.connector(PARTNER), create("a", name="acme"))
    assert made.returned is not None and made.returned["name"] == "ACME"


def test_a_trigger_that_refuses_is_a_rejection_in_its_words(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'period is closed'; END $$"
    )
    lab.run("CREATE TRIGGER t BEFORE INSERT ON partners FOR EACH ROW EXECUTE FUNCTION no()")
    outcome = only(lab.connector(PARTNER), create("a", name="A"))
    assert isinstance(outcome, Rejected) and "period is closed" in outcome.message


def test_policies_say_what_a_deletion_sets(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run("ALTER TABLE partners ADD state text")
    connector = lab.connector({"customer": {**PARTNER["customer"], "policies": {"block": {"state": "blocked"}}}})
    made = only(connector, create("a", name="A"))
    delete = dataclasses.replace(create("a"), action="delete", target_id=made.target_id)
    assert isinstance(only(connector, dataclasses.replace(delete, policy="close")), Rejected)
    assert isinstance(only(connector, dataclasses.replace(delete, policy="block")), Delivered)
    assert lab.run("SELECT state FROM partners") == [("blocked",)]
    assert isinstance(only(connector, dataclasses.replace(delete, policy="")), Delivered)
    assert lab.run("SELECT count(*) FROM partners") == [(0,)]


def test_cancelled_lines_can_stay_with_a_state(lab: Lab) -> None:
    lab.run("CREATE TABLE o (no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text UNIQUE)")
    lab.run("CREATE TABLE l (id serial PRIMARY KEY, o int REFERENCES o, n int, state text, k text, UNIQUE (o, k))")
    lines = {"table": "l", "parent": "o", "key": "id", "reference": "k", "cancel": {"state": "cancelled"}}
    connector = lab.connector({"sales_order": {"table": "o", "key": "no", "reference": "ref", "lines": lines}})
    write = dataclasses.replace(create("a"), entity="sales_order")
    write = dataclasses.replace(write, lines=(LineWrite("insert", "x", None, None, {"n": 1}),))
    made = only(connector, write)
    cancel = LineWrite("cancel", "x", made.lines["x"], {"n": 1}, None)
    only(connector, dataclasses.replace(write, action="update", target_id=made.target_id, lines=(cancel,)))
    assert lab.run("SELECT n, state FROM l") == [(1, "cancelled")]


def test_a_staging_table_takes_each_version_once(lab: Lab) -> None:
    lab.run("CREATE TABLE inbox (id serial PRIMARY KEY, name text, ref text, ver int, act text, UNIQUE (ref, ver))")
    lab.run("CREATE TABLE inbox_l (id serial PRIMARY KEY, parent int, n int, k text)")
    entity = {
        "table": "inbox",
        "key": "id",
        "reference": "ref",
        "staging": {"sequence": "ver", "action": "act"},
        "lines": {"table": "inbox_l", "parent": "parent", "key": "id", "reference": "k"},
    }
    connector = lab.connector({"customer": entity})
    connector.check()
    line = LineWrite("insert", "x", None, None, {"n": 5})
    first = dataclasses.replace(create("a", name="A"), lines=(line,))
    second = dataclasses.replace(first, action="update", version=2, target_id="a", after={"name": "B"})
    for write in (first, first, second, second):
        outcome = only(connector, write)
        assert isinstance(outcome, Delivered) and outcome.target_id == "a"
    assert lab.run("SELECT ref, ver, act, name FROM inbox ORDER BY ver") == [
        ("a", 1, "create", "A"),
        ("a", 2, "update", "B"),
    ]
    assert lab.run("SELECT n, k FROM inbox_l") == [(5, "x"), (5, "x")]
    found = connector.find("customer", "a")
    assert found is not None and found.target_id == "a"


# -- who answers, what is missing --------------------------------------------------------------------------------------


def test_check_asks_for_the_unique_reference(lab: Lab) -> None:
    lab.run("CREATE TABLE partners (id serial PRIMARY KEY, name text, ref text)")
    lab.run("CREATE UNIQUE INDEX a_part ON partners (ref) WHERE name <> ''")
    with pytest.raises(Denied, match="unique constraint on ref"):
        lab.connector(PARTNER).check()
    lab.run("CREATE UNIQUE INDEX whole ON partners (ref)")
    identity = lab.connector(PARTNER).check()
    assert identity.organisation.startswith("postgresql ") and identity.user


def test_check_touches_no_row(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run("INSERT INTO partners (name) VALUES ('A')")
    before = lab.run("SELECT xmin::text, * FROM partners")
    lab.connector(PARTNER).check()
    assert lab.run("SELECT xmin::text, * FROM partners") == before


def test_describe_knows_what_is_generated(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL, m int NOT NULL DEFAULT 1, "
        "twice int GENERATED ALWAYS AS (n * 2) STORED, kind char(3), ref text UNIQUE)"
    )
    fields = lab.connector({"customer": {"table": "t", "key": "id", "reference": "ref"}}).describe("customer").fields
    assert (fields["n"].type, fields["n"].required, fields["m"].required) == ("integer", True, False)
    assert not fields["twice"].creatable and not fields["id"].creatable and not fields["id"].required
    assert fields["kind"].length == 3


def test_a_column_that_was_renamed_while_it_runs_is_told(lab: Lab) -> None:
    lab.run(PARTNERS)
    connector = lab.connector(PARTNER)
    connector.check()
    lab.run("ALTER TABLE partners RENAME COLUMN vat TO vat_number")
    with pytest.raises(Denied, match="vat") as caught:
        rows_of(connector, "customer")
    assert "check --live" in caught.value.hint
    assert rows_of(connector, "customer") == [], "the tables are looked at anew"
    named = lab.connector({"customer": {**PARTNER["customer"], "columns": ["vat"]}})
    with pytest.raises(Denied, match="no column vat") as denied:
        named.check()
    assert "vat_number" in denied.value.hint
    lab.run("DROP TABLE partners")
    with pytest.raises(Denied, match="no table or view partners"):
        lab.connector(PARTNER).check()


def test_names_of_the_configuration_are_quoted(lab: Lab) -> None:
    lab.run('CREATE TABLE "odd ""; DROP TABLE x" ("the ""id" int PRIMARY KEY)')
    lab.run('INSERT INTO "odd ""; DROP TABLE x" VALUES (7)')
    connector = lab.connector({"customer": {"table": 'odd "; DROP TABLE x', "key": 'the "id'}})
    assert [row.key for row in rows_of(connector, "customer")] == ["7"]


def test_matches_and_find_take_values_literally(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run("INSERT INTO partners (name, vat) VALUES ('A', '100%'), ('B', 'x'' OR 1=1')")
    connector = lab.connector(PARTNER)
    assert connector.matches("customer", ["100%", "x' OR 1=1", "%"], field="vat") == {"100%": ["1"], "x' OR 1=1": ["2"]}


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"port": "1"}, Unavailable, "connection"),
        ({"password": "wrong-password"}, Denied, "password"),
        ({"database": "nowhere"}, Denied, "nowhere"),
    ],
)
def test_no_connection_has_its_reason(lab: Lab, change: dict[str, str], kind: type[Exception], said: str) -> None:
    from sqlalchemy import make_url

    query = {key: value for key, value in change.items() if key == "port"}
    rest: dict[str, Any] = {key: value for key, value in change.items() if key != "port"}
    url = make_url(lab.url).set(**rest).update_query_dict(query).render_as_string(hide_password=False)
    connector = lab.connector(PARTNER, url=Secret.plain(url))
    with pytest.raises(kind, match=said) as caught:
        connector.check()
    assert not getattr(caught.value, "sent", True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:p@h/d", "PyMySQL"),
        ("oracle://u:p@h/d", "oracledb"),
        ("mssql://u:p@h/d", "mssql"),
        ("nonsense", "URL"),
    ],
)
def test_a_missing_driver_says_what_to_install(lab: Lab, url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    monkeypatch.setitem(sys.modules, "oracledb", None)
    connector = lab.connector(PARTNER, url=Secret.plain(url))
    with pytest.raises(Denied) as caught:
        connector.check()
    assert said in str(caught.value)


def test_its_http_reaches_nothing(lab: Lab) -> None:
    http = lab.connector(PARTNER).http
    assert not http.allows("https://acme.example/") and not http.allows("http://127.0.0.1/")


def test_a_line_that_is_gone_is_a_conflict_and_never_another_line(lab: Lab) -> None:
    lab.run("CREATE TABLE o (no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text UNIQUE)")
    lab.run("CREATE TABLE l (id serial PRIMARY KEY, o int REFERENCES o, n int, k text, UNIQUE (o, k))")
    lines = {"table": "l", "parent": "o", "key": "id", "reference": "k"}
    connector = lab.connector({"sales_order": {"table": "o", "key": "no", "reference": "ref", "lines": lines}})
    write = dataclasses.replace(create("a"), entity="sales_order")
    made = only(connector, dataclasses.replace(write, lines=(LineWrite("insert", "x", None, None, {"n": 1}),)))
    lab.run("DELETE FROM l")
    lab.run("INSERT INTO l (o, n, k) SELECT no, 7, 'y' FROM o")
    change = LineWrite("update", "x", made.lines["x"], {"n": 1}, {"n": 2})
    update = dataclasses.replace(write, action="update", target_id=made.target_id, before={}, lines=(change,))
    outcome = only(connector, update)
    assert isinstance(outcome, Conflict) and "line x" in outcome.message
    assert lab.run("SELECT n, k FROM l") == [(7, "y")]


def test_the_entities_of_a_system_are_those_of_its_configuration() -> None:
    declared = Sql.declared({"url": "env:X", "entities": {"customer": {"table": "p", "key": "id"}}})
    assert declared["customer"].native == "p"
    assert declared["customer"].snapshot and declared["customer"].create is None


# -- other dialects ----------------------------------------------------------------------------------------------------


def test_a_sqlite_file_is_read_and_written(file_lab: Lab, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "erp.db") as admin:
        admin.executescript(
            "CREATE TABLE o (no INTEGER PRIMARY KEY, at DATETIME, total NUMERIC(12, 2), ref VARCHAR(80) UNIQUE);"
            "CREATE TABLE l (id INTEGER PRIMARY KEY, o INT, n INT CHECK (n > 0), k TEXT, UNIQUE (o, k));"
        )
    lines = {"table": "l", "parent": "o", "key": "id", "reference": "k"}
    entity = {"table": "o", "key": "no", "changed": "at", "zone": "UTC", "reference": "ref", "lines": lines}
    connector = file_lab.connector({"sales_order": entity})
    assert connector.check().organisation.endswith("erp.db")
    writes = [
        dataclasses.replace(
            create(f"r{i}", at="2026-01-05T07:00:00Z", total="12.50"),
            entity="sales_order",
            lines=(LineWrite("insert", "x", None, None, {"n": 3 - i}),),
        )
        for i in range(4)
    ]
    for _ in range(2):
        outcomes = connector.write("sales_order", writes)
        assert [type(each) for each in outcomes] == [Delivered] * 3 + [Rejected]
    rows = rows_of(connector, "sales_order")
    assert [(row.stamp, [line["n"] for line in row.body["lines"]]) for row in rows if row.body] == [
        ("2026-01-05T07:00:00+00:00", [n]) for n in (3, 2, 1)
    ]
    assert rows[0].body is not None and rows[0].body["total"] == Decimal("12.50")
    holder = sqlite3.connect(tmp_path / "erp.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        busy = file_lab.connector({"sales_order": entity}, net={"read": 0.2})
        assert isinstance(only(busy, writes[0]), Unavailable)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert isinstance(only(busy, writes[0]), Delivered)


def test_mysql_changes_only_the_row_that_is_ours() -> None:
    class Recorded:
        text = ""

        def execute(self, statement: Any) -> None:
            self.text = str(statement.compile(dialect=mysql.dialect()))

    table = Table("p", MetaData(), Column("id", Integer), Column("name", String(9)), Column("ref", String(9)))
    recorded: Any = Recorded()
    _upsert(recorded, "mysql", table, [table.c.ref], {"name": "A", "ref": "r"})
    assert "ON DUPLICATE KEY UPDATE" in recorded.text
    assert "name = if(p.ref = " in recorded.text and ", p.name)" in recorded.text


@pytest.mark.parametrize(
    ("number", "committing", "kind"),
    [
        (1062, False, Rejected),
        (1213, False, Unavailable),
        (1205, False, Unavailable),
        (1045, False, Denied),
        (1142, False, Denied),
        (2013, False, Unavailable),
        (2013, True, OutcomeUnknown),
        (1213, True, Unavailable),
    ],
)
def test_mysqls_numbers_become_the_right_outcome(number: int, committing: bool, kind: type[Exception]) -> None:
    class Error(Exception):
        orig: Any = None

    error = Error()
    error.orig = Exception(number, "Duplicate entry 'DE-SECRET' for key 'p.vat'")
    failure = failure_of(error, "erp", committing=committing)
    assert type(failure) is kind
    assert "DE-SECRET" not in str(failure)


def test_reading_holds_no_more_than_a_page(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL)")
    lab.run("INSERT INTO t SELECT i, '2026-01-05 07:00Z' FROM generate_series(1, 500) i")
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "at"}}, page_size=50)
    sizes = [len(page.rows) for page in connector.read("customer", None)]
    assert max(sizes) == 50 and sum(sizes) == 500
    assert timedelta(seconds=300) == connector.entity("customer").overlap
