"""docs/operate.md: every command on the page is run, in order, and says what the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from desk import Desk
from memory import Memory, Record
from workbench import Plain, balanced, engine, flow

from landbridge.canonical import Canonical
from landbridge.connector import Entity, Row
from landbridge.errors import Denied, Finding, Invalid, Rejected
from landbridge.settings import Ownership
from landbridge.store import operate

CUSTOMER = Entity("Customer", create="C", update="B", batch=10, settle=timedelta(minutes=5))
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


class House:
    """The systems behind the page; each section begins with what happened to them."""

    def __init__(self, store: Any, clock: Any) -> None:
        self.clock = clock
        self.crm, self.erp = Memory("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
        self.mended = False
        rules = {"customer": {"changes": [{"field": "limit", "at_least": "used", "else": "conflict"}]}}
        self.made = engine(
            store,
            clock,
            [self.crm, self.erp],
            [flow("customers", "crm", "customer", "erp")],
            {("crm", "customer"): Plain(self._read)},
            ownership=Ownership.model_validate(rules),
        )
        self.crm.fetch = self._fetch  # type: ignore[method-assign]  # the source can be asked for one record
        self.erp.matches = self._matches  # type: ignore[method-assign]  # and the target for a value

    def _read(self, native: Any, _: Any) -> dict[str, Any]:
        if "bad" in native and not self.mended:
            raise Invalid([Finding("name", "type", "is no name.")])
        return dict(native)

    def _fetch(self, entity: str, ids: Any) -> list[Row]:
        return [row for row in self.crm.rows[entity] if row.key in ids][-1:]

    def _matches(self, entity: str, values: Any, *, field: str) -> dict[str, list[str]]:
        found = self.erp.records[entity].values()
        return {value: [one.id for one in found if one.header.get(field) == value] for value in values}

    def put(self, key: str, **body: Any) -> None:
        self.crm.put("customer", key, {"number": key, "name": f"Name {key}"} | body)

    def rejects(self, *keys: str) -> None:
        for key in keys:
            self.put(key)
        self.erp.script = [Rejected("no group Z9", hint="Choose another one.") for _ in keys]
        self.made.run("customers")

    def stands(self) -> None:
        self.put("C1")
        self.made.run("customers")

    def quarantines(self) -> None:
        self.put("C4", bad=True)
        self.made.run("customers")
        self.mended = True

    def disagrees(self) -> None:
        self.put("C5", limit="10")
        self.made.run("customers")
        next(one for one in self.erp.effects("customer") if one.header["number"] == "C5").header["used"] = "6"
        self.put("C5", limit="4")
        self.made.run("customers")

    def denies(self) -> None:
        self.put("C7")
        self.erp.script = [Denied("401: the key has run out", hint="Give a new one.")]
        self.made.run("customers")

    def goes_on(self) -> None:
        self.clock.advance(timedelta(hours=1))
        self.made.run("customers")
        self.put("C8")

    def moves(self) -> None:
        self.crm.organisation = "org-other"
        self.made._bound.clear()

    def begins(self) -> None:
        self.put("C9", tax="T9")
        self.erp.records["customer"]["99"] = Record("99", {"tax": "T9"}, {}, "")


def test_every_example_of_the_page_runs(
    root: Path, store: Any, clock: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    house = House(store, clock)
    happened: dict[str, Callable[[], None]] = {
        "See where things stand": house.stands,
        "A dead letter": lambda: house.rejects("C2", "C3"),
        "Quarantine": house.quarantines,
        "A conflict": house.disagrees,
        "A paused flow": house.denies,
        "A record now": house.goes_on,
        "A wrong binding": house.moves,
        "Cut-over": house.begins,
    }
    landbridge = Desk(
        house.made,
        tmp_path,
        monkeypatch,
        capsys,
        Canonical({"customer": {"type": "object", "properties": {"number": {"type": "string"}}}}),
    )
    page = (root / "docs" / "operate.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    assert set(happened) <= {section.partition("\n")[0] for section in sections}
    ran = 0
    for section in sections:
        happened.get(section.partition("\n")[0], lambda: None)()
        rows = _rows(house)
        for block in BLOCK.findall(section):
            for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                _run(landbridge, example, rows)
                ran += 1
    assert ran >= 25
    balanced(house.made)


def _rows(house: House) -> list[str]:
    with house.made.parts.store.reading() as connection:
        found = operate.attention(connection, ["dead", "conflict"])
    return [str(one.id) for one in sorted(found, key=lambda one: one.id)]


def _run(landbridge: Desk, example: str, rows: list[str]) -> None:
    command, _, expected = example.partition("\n")
    numbers = {"ROW": 0, "ROW2": 1}
    arguments = [rows[numbers[word]] if word in numbers else word for word in shlex.split(command)[1:]]
    said = landbridge(*arguments)
    text = said.out + said.err
    for line in expected.strip().splitlines():
        pattern = r"\s*".join(".*".join(re.escape(part) for part in piece.split("…")) for piece in line.split())
        assert re.search(pattern, text), f"$ {command}\nsays no\n{line}\nbut\n{said}"
