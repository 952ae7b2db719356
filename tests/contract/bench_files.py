"""The files connector under the contract suite: an SFTP server where a foreign user drops and a consumer reads."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from bench import Bench, Side
from sftp_server import Fault, SftpServer

PASSWORD = "c4n4ry-sftp-password"
COLUMNS = ("number", "name", "note", "changed", "gone")
ACTS = {"html": "garbage", "500_before": "drop_before", "500_after": "drop_after", "cut_body": "drop_after"}


class FilesBench(Bench):
    """Customers are dropped and written, orders are written with their lines."""

    name: ClassVar[str] = "exchange"
    source: ClassVar[str] = "customer"
    target: ClassVar[str] = "customer"
    document: ClassVar[str | None] = "sales_order"
    page_size: ClassVar[int] = 10
    text_field: ClassVar[str] = "note"

    def start(self) -> None:
        self.root = self.folder / "exchange"
        for name in ("in", "out", "orders"):
            (self.root / name).mkdir(parents=True)
        self._numbers, self._drops = count(1), count(1)
        self._rows: dict[str, dict[str, Any]] = {}
        self._begin()

    def _begin(self) -> None:
        self.server = SftpServer(self.root, {"landbridge": PASSWORD})
        (self.folder / "secret").write_text(PASSWORD, encoding="utf-8")
        self.waiting: list[tuple[datetime, Any]] = []
        self.clock.watch(self._due)

    def _due(self, now: datetime) -> None:
        due = [act for at, act in self.waiting if at <= now]
        self.waiting = [each for each in self.waiting if each[0] > now]
        for act in due:
            act()

    def stop(self) -> None:
        self.server.close()

    def place(self) -> dict[str, Any]:
        """Where the files are."""
        return {
            "url": f"sftp://127.0.0.1:{self.server.port}/",
            "user": "landbridge",
            "password": f"file:{self.folder / 'secret'}",
            "host_key": self.server.host_key,
        }

    def raw_config(self) -> dict[str, Any]:
        customer = {
            "folder": "in",
            "pattern": "customers_*.csv",
            "columns": [
                {"name": "number", "required": False},
                {"name": "name", "length": 80},
                {"name": "note", "length": 4000},
                *({"name": name} for name in ("changed", "gone")),
            ],
            "key": "number",
            "deleted": {"column": "gone", "values": ["yes"]},
            "write": {"folder": "out", "reference": "lb_ref", "action": "lb_action"},
        }
        order = {
            "columns": ["customer", "note", "quantity"],
            "lines": {"columns": "quantity", "reference": "lb_line"},
            "write": {"folder": "orders", "reference": "lb_ref", "version": "lb_version"},
        }
        entities = {"customer": customer, "sales_order": order}
        return {**self.place(), "entities": entities, "page_size": self.page_size}

    def secrets(self) -> Sequence[str]:
        return [PASSWORD]

    def port(self) -> int:
        return self.server.port

    # --- foreign users

    def drop(self, rows: Sequence[dict[str, Any]], at: datetime | None = None) -> None:
        """One more file of customers, written whole."""
        path = self.root / "in" / f"customers_{next(self._drops):06}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        stamp = (at or self.clock.now()).timestamp()
        os.utime(path, (stamp, stamp))

    def _made(self, **fields: Any) -> dict[str, Any]:
        number = f"C{next(self._numbers):05}"
        row = {"number": number, "name": f"Kunde {number}", "changed": self.clock.now().isoformat(), **fields}
        self._rows[number] = row
        return row

    def create(self, n: int) -> list[str]:
        rows = [self._made() for _ in range(n)]
        self.drop(rows)
        return [row["number"] for row in rows]

    def change(self, key: str, text: str | None) -> None:
        self._rows[key]["note"] = text
        self.drop([self._rows[key]])

    def late(self, seconds: float) -> str:
        row = self._made()
        self.drop([row], self.clock.now() - timedelta(seconds=seconds))
        return str(row["number"])

    def remove(self, key: str) -> bool:
        self.drop([{**self._rows[key], "gone": "yes"}])
        return True

    # --- faults

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        state = self.server.state
        reads = ("list", "open", "read")
        if side == "login":
            state.refuse_login = 1
            self.server.cut()
        elif kind == "reply" and args["status"] != 200:
            status = args["status"]
            act = "permission" if status in (401, 403) else "failure"
            unsure = status in (500, 502, 504)
            writes = ("publish",) if unsure else ("write",)
            state.faults.append(Fault(reads if side == "read" else writes, act, times))
        else:
            act = "later" if kind == "commit_later" else "garbage" if kind == "reply" else ACTS.get(kind, kind)
            after = timedelta(seconds=args.get("after", 0))
            later = lambda act: self.waiting.append((self.clock.now() + after, act))  # noqa: E731 - told beside its use
            state.faults.append(Fault(("open",) if side == "read" else ("publish",), act, times, after=later))

    def clear_faults(self) -> None:
        self.server.state.faults.clear()
        self.server.state.refuse_login = 0

    def error_body(self, status: int) -> Any:
        return {"message": f"an error like {status}"}

    def expire_session(self) -> None:
        self.server.cut()

    def take_right(self) -> str:
        self.server.state.read_only.add("out")
        return "write to out"

    # --- the consumer of what we write

    def native(self, text: str) -> dict[str, Any]:
        return {"number": "C90000", "name": "Made in 上海", self.text_field: text}

    def wrong(self) -> dict[str, Any]:
        return {"number": "C90001", "name": "x" * 81}

    def rows(self, folder: str) -> list[dict[str, Any]]:
        """Every row of the files that a consumer would see, in the order in which they came."""
        files = sorted((self.root / folder).glob("[!.]*"), key=lambda path: path.stat().st_mtime_ns)
        found = []
        for path in files:
            if path.is_file():
                with path.open(encoding="utf-8", newline="") as file:
                    found += list(csv.DictReader(file))
        return found

    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        if entity == "sales_order":
            versions = {row["lb_version"]: row for row in self.rows("orders") if row["lb_ref"] == reference}
            return [versions[max(versions)]] if versions else []
        mine = [row for row in self.rows("out") if row["lb_ref"] == reference]
        changes = [row for at, row in enumerate(mine) if at == 0 or row != mine[at - 1]]
        assert changes == mine, "the same change came twice"
        return [] if not mine or mine[-1]["lb_action"] == "delete" else [mine[-1]]

    def native_document(self) -> dict[str, Any]:
        return {"customer": "C1", "note": "by the bench"}

    def native_line(self, quantity: str) -> dict[str, Any]:
        return {"quantity": quantity}

    def line_quantities(self, reference: str) -> dict[str, str]:
        mine = [row for row in self.rows("orders") if row["lb_ref"] == reference]
        last = max(int(row["lb_version"]) for row in mine)
        lines = [(row["lb_line"], row["quantity"]) for row in mine if int(row["lb_version"]) == last]
        assert len(dict(lines)) == len(lines), "a line came twice"
        return dict(lines)


BENCH = FilesBench
