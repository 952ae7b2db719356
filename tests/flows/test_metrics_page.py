"""docs/operations.md: every command on the page is run, in order, and says what the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desk import Desk
from memory import Book
from workbench import Plain, balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity
from landbridge.errors import Denied, Rejected, Unavailable
from landbridge.store import operate

CUSTOMER = Entity("Customer", create="B", update="B", delete="B", batch=10)
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


class House:
    """The systems behind the page; each section begins with what happened to them."""

    def __init__(self, store: Any, clock: Any) -> None:
        self.clock, self.group = clock, "Z9"
        self.crm, self.erp = Book("crm", clock, customer=CUSTOMER), Book("erp", clock, customer=CUSTOMER)
        write = Plain(write=lambda body, _: dict(body) | {"group": self.group})
        flows = [flow("customers", "crm", "customer", "erp")]
        self.made = engine(store, clock, [self.crm, self.erp], flows, {("erp", "customer"): write})

    def put(self, key: str, *, told: bool = True) -> None:
        body = {"number": key, "name": f"Name {key}", "city": "Berlin"}
        self.crm.save("customer", key, body, f"t-{key}", told=told)

    def denies(self) -> None:
        self.erp.script = [Denied("401: the key has run out", hint="Give a new one.")]
        self.put("C1")
        self.made.run("customers")

    def is_down(self) -> None:
        self.put("C8")
        self.erp.script = [Unavailable("erp: no connection.")] * 5
        self.made.run("customers")
        for _ in range(4):
            self.clock.advance(60)
            self.made.deliver()

    def rejects(self) -> None:
        self.clock.advance(120)
        self.made.deliver()
        self.put("C2")
        self.put("C3")
        self.erp.script = [Rejected(f"customer {n}: no group 'Z9'", hint="Choose another.") for n in (4711, 4712)]
        self.made.run("customers")

    def mend(self) -> None:
        self.group = "B2"

    def skips(self) -> None:
        self.put("C7", told=False)
        record = self.erp.effects("customer")[0]
        record.header["city"] = "Paris"
        record.version += 1

    def restores(self) -> None:
        self.erp.remove("customer", self.erp.effects("customer")[0].id)

    def goes_on(self) -> None:
        self.made.deliver()
        self.crm.read = lambda entity, since, limit=None: iter(())  # type: ignore[method-assign, assignment]  # by date


def test_every_example_of_the_page_runs(
    root: Path, store: Any, clock: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    house = House(store, clock)
    happened: dict[str, Callable[[], None]] = {
        "A flow is paused": house.denies,
        "A system is down": house.is_down,
        "Dead letters grow": house.rejects,
        "What no feed tells": house.skips,
        "A target was restored from backup": house.restores,
        "A flow is replayed from a date": house.goes_on,
    }
    desk = Desk(house.made, tmp_path, monkeypatch, capsys, Canonical({"customer": {"type": "object"}}))
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    assert set(happened) <= {section.partition("\n")[0] for section in sections}
    ran = 0
    for section in sections:
        happened.get(section.partition("\n")[0], lambda: None)()
        with store.reading() as connection:
            rows = sorted(str(one.id) for one in operate.attention(connection, ["dead"]))
        for block in BLOCK.findall(section):
            for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, expected = example.partition("\n")
                if "drain" in command:  # what a worker would do meanwhile
                    clock.advance(3600)
                    house.made.deliver()
                if "--show-personal" in command:
                    house.mend()
                arguments = [rows[0] if word == "ROW" else word for word in shlex.split(command)[1:]]
                said = desk(*arguments)
                for line in expected.strip().splitlines():
                    pattern = r"\s*".join(".*".join(map(re.escape, piece.split("…"))) for piece in line.split())
                    assert re.search(pattern, said.out + said.err), f"$ {command}\nsays no\n{line}\nbut\n{said}"
                ran += 1
    assert ran >= 20
    balanced(house.made)
