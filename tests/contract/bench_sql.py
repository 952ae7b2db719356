"""The SQL connector under the contract suite: a real PostgreSQL server behind a line that breaks on request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar

from bench import Bench, Side
from bench_sql_mariadb import MariaDbBench
from psycopg import Connection, sql
from psycopg.rows import dict_row
from sql_proxy import Fault, Proxy

PASSWORD = "c4n4ry-database-password"
READS, COMMITS, CHANGES = (b"FROM partners",), (b"COMMIT",), (b"INSERT INTO",)
STATES = {400: "22P02", 401: "28000", 403: "42501", 404: "23503", 409: "40001", 412: "40P01", 422: "23514",
          429: "53300", 500: "08007", 502: "40003", 503: "53300", 504: "08007"}  # fmt: skip
ACTS = {
    "html": "garbage",
    "500_before": "drop_before",
    "500_after": "drop_after",
}  # what breaks at a COMMIT; other kinds are called the same in the proxy
TABLES = """
CREATE TABLE partners (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(80) NOT NULL, note varchar(4000),
    credit numeric(12, 2),
    changed timestamptz(0) NOT NULL DEFAULT now(), gone boolean NOT NULL DEFAULT false, lb_ref varchar(80) UNIQUE,
    CONSTRAINT credit_is_positive CHECK (credit >= 0));
CREATE INDEX ON partners (changed, id);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, partner bigint REFERENCES partners, note text,
    changed timestamptz NOT NULL DEFAULT now(), lb_ref varchar(80) UNIQUE);
CREATE TABLE order_lines (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders,
    quantity numeric(12, 3) NOT NULL, lb_line varchar(80), UNIQUE (order_id, lb_line));
"""
_numbers = count(1)


class SqlBench(Bench):
    """Partners are read and written, orders carry lines."""

    name: ClassVar[str] = "erp"
    source: ClassVar[str] = "customer"
    target: ClassVar[str] = "customer"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 10
    text_field: ClassVar[str] = "note"

    def start(self) -> None:
        self.server = self.fixture("postgres")
        self.urls = self.server.urls()
        number = next(_numbers)
        self.database, self.user = f"erp_{number}", f"erp_user_{number}"
        self.server.ensure_database(self.database)
        self.admin: Connection[Any] = self.urls.connect(self.database)
        self.admin.row_factory = dict_row
        self.admin.execute("SET timezone = 'UTC'")
        self.admin.execute(TABLES)  # type: ignore[arg-type]  # a constant of this file
        user, password = sql.Identifier(self.user), sql.Literal(PASSWORD)
        self.admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(user, password))
        self.admin.execute(sql.SQL("GRANT ALL ON partners, orders, order_lines TO {}").format(user))
        self.waiting: list[tuple[Any, Any]] = []
        self.clock.watch(self._tell)
        self.proxy = Proxy(f"{self.urls.sockets}/.s.PGSQL.{self.urls.port}", self._later)
        self.after = 0.0
        secret = self.folder / "secret"
        secret.write_text(
            f"postgresql://{self.user}:{PASSWORD}@127.0.0.1:{self.proxy.port}/{self.database}", encoding="utf-8"
        )
        self.buyer = self.create(1)[0]
        self.clock.advance(1)

    def stop(self) -> None:
        self.proxy.close()
        self.expire_session()
        self.admin.close()
        self.server.drop_database(self.database)
        with self.urls.connect("postgres") as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(self.user)))

    def _later(self, act: Any) -> None:
        self.waiting.append((self.clock.now() + timedelta(seconds=self.after), act))

    def _tell(self, now: Any) -> None:
        due = [act for at, act in self.waiting if at <= now]
        self.waiting = [each for each in self.waiting if each[0] > now]
        for act in due:
            act()

    def raw_config(self) -> dict[str, Any]:
        common = {"key": "id", "changed": "changed", "reference": "lb_ref"}
        lines = {"table": "order_lines", "parent": "order_id", "key": "id", "reference": "lb_line"}
        return {
            "url": f"file:{self.folder / 'secret'}",
            "entities": {
                "customer": {**common, "table": "partners", "deleted": "gone", "policies": {"delete": {"gone": True}}},
                "sales_order": {**common, "table": "orders", "lines": lines},
            },
            "page_size": self.page_size,
        }

    def secrets(self) -> Sequence[str]:
        return [PASSWORD]

    def port(self) -> int:
        return self.proxy.port

    def create(self, n: int) -> list[str]:
        query = (
            "INSERT INTO partners (name, changed) SELECT 'Partner ' || i, %s FROM generate_series(1, %s) i RETURNING id"
        )
        return [str(row["id"]) for row in self.admin.execute(query, (self.clock.now(), n)).fetchall()]

    def change(self, key: str, text: str | None) -> None:
        self.admin.execute("UPDATE partners SET note = %s, changed = %s WHERE id = %s", (text, self.clock.now(), key))

    def late(self, seconds: float) -> str:
        at = self.clock.now() - timedelta(seconds=seconds)
        row = self.admin.execute("INSERT INTO partners (name, changed) VALUES ('Late', %s) RETURNING id", (at,))
        return str(row.fetchall()[0]["id"])

    def remove(self, key: str) -> bool:
        self.admin.execute("UPDATE partners SET gone = true, changed = %s WHERE id = %s", (self.clock.now(), key))
        return True

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        if side == "login":
            self.proxy.faults.append(Fault((b"STARTUP",), "error", times, ("28000", args["body"]["message"])))
        elif kind == "reply" and args["status"] != 200:
            status, body = args["status"], args.get("body")
            words = READS if side == "read" else COMMITS if status in (500, 502, 504) else CHANGES
            text = str(body.get("message") if isinstance(body, dict) else body)
            self.proxy.faults.append(Fault(words, "error", times, (STATES[status], text)))
        else:
            self.after = args.get("after", 0.0)
            act = "garbage" if kind == "reply" else ACTS.get(kind, kind)
            self.proxy.faults.append(Fault(READS if side == "read" else COMMITS, act, times))

    def clear_faults(self) -> None:
        self.proxy.faults.clear()

    def error_body(self, status: int) -> Any:
        return {"message": f"an error like {status}", "json": json.dumps(status)}

    def expire_session(self) -> None:
        self.admin.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = %s", (self.user,)
        )

    def take_right(self) -> str:
        self.admin.execute(sql.SQL("REVOKE UPDATE ON partners FROM {}").format(sql.Identifier(self.user)))
        return "update partners"

    def native(self, text: str) -> dict[str, Any]:
        return {"name": "Made in 上海", "credit": "12.50", self.text_field: text}

    def wrong(self) -> dict[str, Any]:
        return {"name": "Wrong", "credit": "-1.00"}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        table = {"customer": "partners", "sales_order": "orders"}[entity]
        query = sql.SQL("SELECT * FROM {} WHERE lb_ref = %s").format(sql.Identifier(table))
        found: list[dict[str, Any]] = self.admin.execute(query, (reference,)).fetchall()
        return [each for each in found if not each.get("gone")]

    def native_document(self) -> dict[str, Any]:
        return {"partner": int(self.buyer), "note": "by the bench"}

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"quantity": quantity}

    def line_quantities(self, reference: str) -> dict[str, str]:
        query = "SELECT l.id, l.quantity FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE o.lb_ref = %s"
        return {str(row["id"]): str(row["quantity"]) for row in self.admin.execute(query, (reference,)).fetchall()}


BENCH = SqlBench
VARIANTS = {"mariadb": MariaDbBench}
