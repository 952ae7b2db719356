"""The SQL connector under the contract suite: a real MariaDB server behind a line that breaks on request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from bench import Bench, Side
from mysql_proxy import MySqlProxy
from sql_proxy import Fault

PASSWORD = "c4n4ry-database-password"
READS, COMMITS, CHANGES = (b"FROM partners",), (b"COMMIT",), (b"INSERT INTO",)
NUMBERS = {400: "1366", 401: "1045", 403: "1142", 404: "1452", 409: "1205", 412: "1213", 422: "4025",
           429: "1040", 500: "2013", 502: "2006", 503: "1040", 504: "2013"}  # fmt: skip
ACTS = {"html": "garbage", "500_before": "drop_before", "500_after": "drop_after"}
TABLES = (
    """CREATE TABLE partners (
    id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(80) NOT NULL, note varchar(4000), credit decimal(12, 2),
    changed datetime NOT NULL, gone boolean NOT NULL DEFAULT false, lb_ref varchar(80) COLLATE utf8mb4_bin UNIQUE,
    CONSTRAINT credit_is_positive CHECK (credit >= 0), INDEX (changed, id))""",
    """CREATE TABLE orders (
    id bigint AUTO_INCREMENT PRIMARY KEY, partner bigint, note text,
    changed timestamp(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),
    lb_ref varchar(80) COLLATE utf8mb4_bin UNIQUE, FOREIGN KEY (partner) REFERENCES partners (id))""",
    """CREATE TABLE order_lines (
    id bigint AUTO_INCREMENT PRIMARY KEY, order_id bigint NOT NULL, quantity decimal(12, 3) NOT NULL,
    lb_line varchar(80), UNIQUE (order_id, lb_line), FOREIGN KEY (order_id) REFERENCES orders (id))""",
)


class MariaDbBench(Bench):
    """Partners are read and written, orders carry lines; stamps are whole seconds without a zone."""

    name: ClassVar[str] = "erp"
    source: ClassVar[str] = "customer"
    target: ClassVar[str] = "customer"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 10
    text_field: ClassVar[str] = "note"

    def start(self) -> None:
        self.server = self.fixture("mariadb")
        self.database = self.server.new_database()
        self.user = f"user_{self.database}"
        self.admin = self.server.connect(self.database)
        for table in TABLES:
            self.run(table)
        self.run(f"CREATE USER '{self.user}'@'%%' IDENTIFIED BY %s", PASSWORD)
        self.run(f"CREATE USER '{self.user}'@'localhost' IDENTIFIED BY %s", PASSWORD)
        for table in ("partners", "orders", "order_lines"):
            self.run(f"GRANT ALL ON {table} TO '{self.user}'@'localhost'")
        self.waiting: list[tuple[Any, Any]] = []
        self.clock.watch(self._tell)
        self.proxy = MySqlProxy(self.server.socket, self._later)
        self.after = 0.0
        secret = self.folder / "secret"
        secret.write_text(
            f"mariadb://{self.user}:{PASSWORD}@127.0.0.1:{self.proxy.port}/{self.database}", encoding="utf-8"
        )
        self.buyer = self.create(1)[0]
        self.clock.advance(1)

    def stop(self) -> None:
        self.proxy.close()
        self.expire_session()
        self.run(f"DROP DATABASE {self.database}")
        self.run(f"DROP USER '{self.user}'@'%%', '{self.user}'@'localhost'")
        self.admin.close()

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """One statement of the administrator."""
        with self.admin.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

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
            "zone": "UTC",
            "page_size": self.page_size,
        }

    def secrets(self) -> Sequence[str]:
        return [PASSWORD]

    def port(self) -> int:
        return self.proxy.port

    def _now(self, seconds: float = 0.0) -> Any:
        return (self.clock.now() - timedelta(seconds=seconds)).replace(tzinfo=None)

    def create(self, n: int) -> list[str]:
        query = "INSERT INTO partners (name, changed) SELECT CONCAT('Partner ', seq), %s FROM seq_1_to_10000 LIMIT %s"
        before = self.run("SELECT COALESCE(MAX(id), 0) AS id FROM partners")[0]["id"]
        self.run(query, self._now(), n)
        return [str(row["id"]) for row in self.run("SELECT id FROM partners WHERE id > %s ORDER BY id", before)]

    def change(self, key: str, text: str | None) -> None:
        self.run("UPDATE partners SET note = %s, changed = %s WHERE id = %s", text, self._now(), key)

    def late(self, seconds: float) -> str:
        self.run("INSERT INTO partners (name, changed) VALUES ('Late', %s)", self._now(seconds))
        return str(self.run("SELECT LAST_INSERT_ID() AS id")[0]["id"])

    def remove(self, key: str) -> bool:
        self.run("UPDATE partners SET gone = true, changed = %s WHERE id = %s", self._now(), key)
        return True

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        if side == "login":
            self.proxy.faults.append(Fault((b"STARTUP",), "error", times, ("1045", args["body"]["message"])))
        elif kind == "reply" and args["status"] != 200:
            status, body = args["status"], args.get("body")
            words = READS if side == "read" else COMMITS if status in (500, 502, 504) else CHANGES
            text = str(body.get("message") if isinstance(body, dict) else body)
            self.proxy.faults.append(Fault(words, "error", times, (NUMBERS[status], text)))
        else:
            self.after = args.get("after", 0.0)
            act = "garbage" if kind == "reply" else ACTS.get(kind, kind)
            self.proxy.faults.append(Fault(READS if side == "read" else COMMITS, act, times))

    def clear_faults(self) -> None:
        self.proxy.faults.clear()

    def error_body(self, status: int) -> Any:
        return {"message": f"an error like {status}", "json": json.dumps(status)}

    def expire_session(self) -> None:
        self.run(f"KILL CONNECTION USER '{self.user}'@'localhost'")

    def take_right(self) -> str:
        self.run(f"REVOKE UPDATE ON partners FROM '{self.user}'@'localhost'")
        return "update partners"

    def native(self, text: str) -> dict[str, Any]:
        return {"name": "Made in 上海 🍵", "credit": "12.50", "changed": "2026-01-05T08:00:00Z", self.text_field: text}

    def wrong(self) -> dict[str, Any]:
        return {"name": "Wrong", "credit": "-1.00", "changed": "2026-01-05T08:00:00Z"}

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        table = {"customer": "partners", "sales_order": "orders"}[entity]
        return [
            each for each in self.run(f"SELECT * FROM {table} WHERE lb_ref = %s", reference) if not each.get("gone")
        ]

    def native_document(self) -> dict[str, Any]:
        return {"partner": int(self.buyer), "note": "by the bench"}

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"quantity": quantity}

    def line_quantities(self, reference: str) -> dict[str, str]:
        query = "SELECT l.id, l.quantity FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE o.lb_ref = %s"
        return {str(row["id"]): str(row["quantity"]) for row in self.run(query, reference)}
