"""The SQL connector on a real MariaDB: its zones, its clauses, its locks and its refusals."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pymysql
import pytest
from mariadb_server import MariaDb
from mysql_proxy import MySqlProxy

from connectors.sql import Sql, SqlConfig
from landbridge.connector import Delivered, Row, Write
from landbridge.errors import Conflict, Denied, Rejected, Unavailable
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.time import ManualClock

PASSWORD = "a-passw0rd-of-tests"


class Lab:
    """One database: administered by `run`, used through connectors over a line of its own."""

    def __init__(self, server: MariaDb) -> None:
        self.server = server
        self.clock = ManualClock()
        self.database = server.new_database()
        self.user = f"lab_{self.database}"
        self.admin = server.connect(self.database)
        self.run(f"CREATE USER '{self.user}'@'localhost' IDENTIFIED BY '{PASSWORD}'")
        self.run(f"GRANT ALL ON {self.database}.* TO '{self.user}'@'localhost'")
        self.proxy = MySqlProxy(server.socket, lambda act: act())
        self.opened: list[Sql] = []

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with self.admin.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def connector(self, entities: dict[str, Any], net: dict[str, Any] | None = None, **config: Any) -> Sql:
        url = f"mariadb://{self.user}:{config.pop('password', PASSWORD)}@127.0.0.1:{self.proxy.port}/{self.database}"
        parsed = SqlConfig.model_validate({"url": Secret.plain(url), "entities": entities, "page_size": 3, **config})
        settings = NetSettings.model_validate({"read": 3, "concurrency": 2, **(net or {})})
        made = Sql("erp", parsed, open_http("erp", parsed, settings, clock=self.clock), self.clock)
        self.opened.append(made)
        return made

    def close(self) -> None:
        for each in self.opened:
            each.close()
        self.proxy.close()
        self.run(f"DROP DATABASE {self.database}")
        self.run(f"DROP USER '{self.user}'@'localhost'")
        self.admin.close()


@pytest.fixture
def lab(mariadb: MariaDb) -> Iterator[Lab]:
    made = Lab(mariadb)
    yield made
    made.close()


def rows_of(connector: Sql, entity: str = "customer", since: str | None = None) -> list[Row]:
    return [row for page in connector.read(entity, since) for row in page.rows]


def create(reference: str, **after: Any) -> Write:
    return Write("customer", "create", uuid4(), 1, f"key-{reference}", reference, after, dict(after))


def only(connector: Sql, write: Write) -> Any:
    [outcome] = connector.write(write.entity, [write])
    return outcome


PARTNERS = (
    "CREATE TABLE partners (id int AUTO_INCREMENT PRIMARY KEY, name varchar(20) NOT NULL, vat varchar(20) UNIQUE, "
    "ref varchar(80) UNIQUE)"
)
PARTNER: dict[str, Any] = {"customer": {"table": "partners", "key": "id", "reference": "ref"}}


def test_stamps_are_told_in_utc_whatever_the_server_thinks(lab: Lab) -> None:
    assert lab.run("SELECT @@global.time_zone AS z")[0]["z"] == "+05:30"
    lab.run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamp(6) NOT NULL, local datetime(3), day date, "
        "price decimal(30, 12), doc json, flag boolean, note text CHARACTER SET utf8mb4)"
    )
    stamps = "'2025-03-29 02:30:00.123456', '2025-10-25 12:00:00.5', '2025-03-29'"
    document = '{"n": 1.10}'
    lab.run(f"INSERT INTO t VALUES (1, {stamps}, 12345678901234567.000000000001, %s, true, '茶 🍵')", document)
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "at"}}, zone="Europe/Berlin")
    [row] = rows_of(connector)
    assert row.stamp == "2025-03-29T02:30:00.123456+00:00"
    assert row.body == {
        "id": 1,
        "at": "2025-03-29T02:30:00.123456+00:00",
        "local": "2025-10-25T10:00:00.500000+00:00",
        "day": "2025-03-29",
        "price": Decimal("12345678901234567.000000000001"),
        "doc": row.body and row.body["doc"],
        "flag": 1,
        "note": "茶 🍵",
    }


@pytest.mark.parametrize("fraction", [0, 6])
def test_no_change_is_skipped_at_any_fraction_of_a_second(lab: Lab, fraction: int) -> None:
    lab.run(
        f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n int, at datetime({fraction}) NOT NULL, INDEX (at, id))"
    )
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "at"}}, zone="UTC")
    seen, cursor = set(), None
    for n in range(40):
        micro = f".{(n * 37_000) % 1_000_000:06}" if fraction else ""
        lab.run(f"INSERT INTO t (n, at) VALUES ({n}, '2026-01-05 07:59:{n // 4:02}{micro}')")
        if n % 3 == 0:
            for page in connector.read("customer", cursor):
                cursor = page.cursor
                seen.update(row.body["n"] for row in page.rows if row.body)
    for page in connector.read("customer", cursor):
        seen.update(row.body["n"] for row in page.rows if row.body)
    assert seen == set(range(40))


def test_what_the_server_cuts_off_is_returned(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE partners (id int AUTO_INCREMENT PRIMARY KEY, at datetime, amount decimal(6, 2), "
        "ref varchar(80) UNIQUE)"
    )
    outcome = only(lab.connector(PARTNER, zone="UTC"), create("R1", at="2026-01-05T08:00:00.900000Z", amount="1.50"))
    assert isinstance(outcome, Delivered)
    assert outcome.returned is not None
    assert outcome.returned["at"] == "2026-01-05T08:00:00+00:00"
    assert str(outcome.returned["amount"]) == "1.50"


def test_a_text_that_the_column_cannot_hold_is_rejected_not_mangled(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE partners (id int AUTO_INCREMENT PRIMARY KEY, name varchar(20) CHARACTER SET utf8mb3, "
        "ref varchar(80) UNIQUE)"
    )
    connector = lab.connector(PARTNER)
    bad, good = connector.write("customer", [create("R1", name="tea 🍵"), create("R2", name="茶")])
    assert isinstance(bad, Rejected)
    assert bad.status == "1366"
    assert isinstance(good, Delivered)
    assert [row["name"] for row in lab.run("SELECT name FROM partners")] == ["茶"]


def test_the_same_values_again_are_no_conflict(lab: Lab) -> None:
    lab.run(PARTNERS)
    connector = lab.connector(PARTNER)
    made = only(connector, create("R1", name="A"))
    again = dataclasses.replace(create("R1", name="A"), action="update", target_id=made.target_id, before={"name": "B"})
    assert isinstance(only(connector, again), Delivered)
    assert isinstance(only(connector, create("R1", name="A")), Delivered)
    assert len(lab.run("SELECT * FROM partners")) == 1


def test_another_rows_unique_value_is_a_conflict_and_that_row_stays(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run("INSERT INTO partners (name, vat) VALUES ('theirs', 'V1')")
    taken, good = lab.connector(PARTNER).write(
        "customer", [create("R1", name="ours", vat="V1"), create("R2", name="B")]
    )
    assert isinstance(taken, Conflict)
    assert isinstance(good, Delivered)
    assert [(row["name"], row["ref"]) for row in lab.run("SELECT name, ref FROM partners ORDER BY id")] == [
        ("theirs", None),
        ("B", "R2"),
    ]


def test_a_deadlock_is_tried_again_by_itself(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run("INSERT INTO partners (name, ref) VALUES ('a', 'RA'), ('b', 'RB')")
    lab.run("CREATE TABLE weight (n int PRIMARY KEY)")
    outcomes: list[Any] = []
    connector = lab.connector(PARTNER, net={"read": 8})
    connector.check()
    lab.run("BEGIN")
    lab.run("INSERT INTO weight SELECT seq FROM seq_1_to_500")  # the heavier one is spared
    lab.run("UPDATE partners SET name = 'x' WHERE ref = 'RB'")
    writing = threading.Thread(
        target=lambda: outcomes.extend(connector.write("customer", [create("RA", name="A"), create("RB", name="B")]))
    )
    writing.start()
    watch = lab.server.connect()
    for _ in range(200):
        with watch.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) AS n FROM information_schema.innodb_lock_waits")
            if cursor.fetchone()["n"]:
                break
        time.sleep(0.02)
    watch.close()
    lab.run("UPDATE partners SET name = 'y' WHERE ref = 'RA'")  # would be the victim if it were the lighter one
    lab.run("COMMIT")
    writing.join(20)
    assert [type(each) for each in outcomes] == [Delivered, Delivered]
    assert [row["name"] for row in lab.run("SELECT name FROM partners ORDER BY id")] == ["A", "B"]
    status = lab.run("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    assert int(status[0]["Value"]) >= 1


def test_a_locked_row_is_unavailable_and_holds_up_no_other(lab: Lab) -> None:
    lab.run(PARTNERS)
    lab.run("INSERT INTO partners (name, ref) VALUES ('a', 'RA')")
    connector = lab.connector(PARTNER, net={"read": 2})
    lab.run("BEGIN")
    lab.run("UPDATE partners SET name = 'x' WHERE ref = 'RA'")
    locked, free = connector.write("customer", [create("RA", name="A"), create("RC", name="C")])
    assert isinstance(locked, Unavailable)
    assert locked.status == "1205"
    assert isinstance(free, Delivered)
    lab.run("ROLLBACK")
    assert isinstance(only(connector, create("RA", name="A")), Delivered)


def test_a_line_that_was_killed_while_idle_is_made_anew(lab: Lab) -> None:
    lab.run(PARTNERS)
    connector = lab.connector(PARTNER)
    only(connector, create("R1", name="A"))
    lab.run(f"KILL CONNECTION USER '{lab.user}'@'localhost'")
    assert isinstance(only(connector, create("R2", name="B")), Delivered)


def test_a_full_server_and_a_wrong_password_are_told_apart(lab: Lab) -> None:
    lab.run(PARTNERS)
    with pytest.raises(Denied, match="Access denied") as denied:
        lab.connector(PARTNER, password="wrong-passw0rd").check()
    assert "wrong-passw0rd" not in str(denied.value)
    most = lab.run("SELECT @@global.max_connections AS n")[0]["n"]
    lab.run("SET GLOBAL max_connections = 10")
    held = []
    try:
        with pytest.raises(pymysql.Error):
            for _ in range(20):
                held.append(pymysql.connect(unix_socket=lab.server.socket, user=lab.user, password=PASSWORD))
        with pytest.raises(Unavailable) as full:
            rows_of(lab.connector(PARTNER))
        assert full.value.status == "1040"
    finally:
        for each in held:
            each.close()
        lab.run(f"SET GLOBAL max_connections = {most}")


def test_a_snapshot_is_one_view(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, n int)")
    lab.run("INSERT INTO t SELECT seq, seq FROM seq_1_to_10")
    pages = lab.connector({"customer": {"table": "t", "key": "id"}}).read("customer", None)
    first = next(pages)
    lab.run("DELETE FROM t WHERE id > 5")
    lab.run("INSERT INTO t VALUES (99, 99)")
    rest = list(pages)
    assert [row.key for page in [first, *rest] for row in page.rows] == [str(n) for n in range(1, 11)]
    assert rest[-1].complete


def test_a_staging_table_takes_each_version_once(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE inbox (id int AUTO_INCREMENT PRIMARY KEY, name varchar(20), ref varchar(80), seq int, "
        "act varchar(10), UNIQUE (ref, seq))"
    )
    staging = {"sequence": "seq", "action": "act"}
    connector = lab.connector({"customer": {"table": "inbox", "key": "id", "reference": "ref", "staging": staging}})
    connector.check()
    for _ in range(2):
        assert isinstance(only(connector, create("R1", name="A")), Delivered)
    assert isinstance(
        only(connector, dataclasses.replace(create("R1", name="B"), version=2, action="update", target_id="R1")),
        Delivered,
    )
    assert [(r["name"], r["seq"], r["act"]) for r in lab.run("SELECT * FROM inbox ORDER BY id")] == [
        ("A", 1, "create"),
        ("B", 2, "update"),
    ]


def test_a_column_that_is_renamed_between_pages_stops_the_reading_and_loses_nothing(lab: Lab) -> None:
    lab.run("CREATE TABLE t (id int PRIMARY KEY, name varchar(9), at datetime NOT NULL)")
    lab.run("INSERT INTO t SELECT seq, CONCAT('n', seq), '2026-01-05 07:00:00' FROM seq_1_to_10")
    connector = lab.connector({"customer": {"table": "t", "key": "id", "changed": "at"}}, zone="UTC")
    pages = connector.read("customer", None)
    first = next(pages)
    lab.run("ALTER TABLE t CHANGE name title varchar(9)")
    with pytest.raises(Denied, match="name") as told:
        next(pages)
    assert "landbridge check --live" in told.value.hint
    rest = rows_of(connector, since=first.cursor)  # the tables are looked at anew
    assert [row.key for row in [*first.rows, *rest]] == [str(n) for n in range(1, 11)]
    assert rest[0].body is not None
    assert rest[0].body["title"] == "n4"


def test_a_column_that_is_renamed_before_a_write_pauses_the_flow(lab: Lab) -> None:
    lab.run(PARTNERS)
    connector = lab.connector(PARTNER)
    only(connector, create("R1", name="A"))
    lab.run("ALTER TABLE partners CHANGE name title varchar(20) NOT NULL")
    outcomes = connector.write("customer", [create("R2", name="B"), create("R3", name="C")])
    assert all(isinstance(each, Denied) for each in outcomes), "no record is to blame, none may become a dead letter"
    assert len(lab.run("SELECT * FROM partners")) == 1
    lab.run("ALTER TABLE partners CHANGE title name varchar(20) NOT NULL")
    assert all(
        isinstance(each, Delivered)
        for each in connector.write("customer", [create("R2", name="B"), create("R3", name="C")])
    )
