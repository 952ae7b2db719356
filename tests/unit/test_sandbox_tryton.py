"""The real ERP that tests and demo start: it sells and ships, rights are limited, and no process is left behind."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.tryton import Client, Refused, Tryton, Unobtainable, _build, _server
from sandbox.tryton._recipe import home


def customer(people: Client, name: str) -> dict[str, Any]:
    [party] = people.create("party.party", [{"name": name, "addresses": [["create", [{"city": "Lyon"}]]]}])
    address = people.one("party.address", [["party", "=", party]])["id"]
    return {"party": party, "invoice_address": address, "shipment_address": address}


def product(people: Client, code: str, price: Decimal) -> int:
    unit = people.one("product.uom", [["symbol", "=", "u"]])["id"]
    category = people.one("product.category", [["name", "=", "Goods"]])["id"]
    [template] = people.create(
        "product.template",
        [
            {
                "name": code,
                "type": "goods",
                "default_uom": unit,
                "sale_uom": unit,
                "salable": True,
                "list_price": price,
                "account_category": category,
                "products": [["create", [{"suffix_code": code}]]],
            }
        ],
    )
    return int(people.one("product.product", [["template", "=", template]])["id"])


def order(people: Client, head: dict[str, Any], product: int, quantity: float, price: str) -> int:
    unit = people.one("product.uom", [["symbol", "=", "u"]])["id"]
    line = {"product": product, "quantity": quantity, "unit": unit, "unit_price": Decimal(price)}
    money = people.one("currency.currency", [["code", "=", "USD"]])["id"]
    company = people.context["company"]
    row = {**head, "company": company, "currency": money, "lines": [["create", [line]]]}
    return people.create("sale.sale", [row])[0]


def test_the_integration_sells_and_the_warehouse_ships(tryton: Tryton) -> None:
    people, ours = tryton.people, tryton.client()
    sale = order(ours, customer(ours, "A buyer"), product(ours, "T-1", Decimal("18.00")), 5.0, "17.99")
    for button in ("quote", "confirm", "process"):
        ours.press("sale.sale", button, [sale])
    sold = ours.one("sale.sale", [["id", "=", sale]], ["state", "total_amount", "shipment_state", "shipments"])
    assert (sold["state"], sold["total_amount"], sold["shipment_state"]) == ("processing", Decimal("89.95"), "waiting")
    [shipment] = sold["shipments"]
    people.write("stock.shipment.out", [shipment], {"carrier": people.search("carrier")[0]})
    people.press("stock.shipment.out", "assign_force", [shipment])
    for button in ("pick", "pack", "ship", "do"):
        people.press("stock.shipment.out", button, [shipment])
    sold = ours.one("sale.sale", [["id", "=", sale]], ["shipment_state"])
    assert sold["shipment_state"] == "sent"


def test_an_order_that_is_charged_for_shipping_gets_a_line_from_the_erp(tryton: Tryton) -> None:
    ours = tryton.client()
    head = customer(ours, "Far away") | {"shipment_cost_method": "order", "carrier": ours.search("carrier")[0]}
    sale = order(ours, head, product(ours, "T-2", Decimal("10.00")), 1.0, "10.00")
    ours.press("sale.sale", "quote", [sale])
    lines = ours.rows("sale.line", [["sale", "=", sale]], ["product.code", "amount", "shipment_cost"])
    assert [(row["product."]["code"], row["amount"]) for row in lines] == [
        ("T-2", Decimal("10.00")),
        ("SHIP", Decimal("9.50")),
    ]


def test_the_integration_may_neither_make_users_nor_post_in_the_books(tryton: Tryton) -> None:
    ours = tryton.client()
    for model, row in (("res.user", {"name": "x", "login": "x"}), ("account.move", {"date": date(2026, 1, 5)})):
        with pytest.raises(Refused) as refused:
            ours.create(model, [row])
        assert refused.value.kind in ("UserError", "403"), refused.value


def test_there_is_a_fiscal_year_for_northwind_and_for_today(tryton: Tryton) -> None:
    periods = tryton.people.rows("account.period", [], ["start_date", "end_date"])
    for day in (date(1996, 7, 4), date(1998, 5, 6), date.today()):  # noqa: DTZ011  # the machine's day is Tryton's
        assert any(row["start_date"] <= day <= row["end_date"] for row in periods), day


def test_each_start_begins_with_an_empty_company_of_its_own(tryton: Tryton) -> None:
    customer(tryton.people, "Only in the first")
    with Tryton(currency="EUR") as other:
        assert other.url != tryton.url
        assert other.people.search("party.party", [["name", "=", "Only in the first"]]) == []
        money = other.people.one("company.company", [], ["currency.code"])
        assert money["currency."]["code"] == "EUR"
        pid, folder = other.pid, other.folder
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not folder.exists()


def test_it_dies_with_the_process_that_started_it(tryton: Tryton, root: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from sandbox.tryton import Tryton\n"
        "running = Tryton(Path(sys.argv[1])); print(running.pid, flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "erp")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 5
    while (gone := not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes()) is False:
        assert time.monotonic() < until, f"Tryton {pid} outlived its parent"
        time.sleep(0.05)
    assert gone


def test_parallel_starts_build_once(tryton: Tryton, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = tmp_path / "home"
    prepared.mkdir()
    for name in ("venv", "base.sqlite", "base.secret", "installed"):
        (prepared / name).symlink_to(home() / name)
    monkeypatch.setenv("LANDBRIDGE_TRYTON", str(prepared))
    built: list[str] = []
    found = _build.found_company
    monkeypatch.setattr(_build, "found_company", lambda *given: (built.append("once"), found(*given)))
    threads = [threading.Thread(target=_build.template) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == ["once"]
    assert not list(prepared.glob("building-*"))
    assert _build.template().passwords.stat().st_mode & 0o077 == 0


def test_a_build_that_was_interrupted_is_begun_again(
    tryton: Tryton, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("venv", "base.sqlite", "base.secret", "installed"):
        (tmp_path / name).symlink_to(home() / name)
    monkeypatch.setenv("LANDBRIDGE_TRYTON", str(tmp_path))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_build, "found_company", killed)
        with pytest.raises(KeyboardInterrupt):
            _build.template()
    assert not list(tmp_path.glob("USD*"))
    with Tryton() as running:
        assert running.people.one("company.company", [], ["rec_name"])["rec_name"] == "Trading Company"


def test_where_the_package_index_cannot_be_reached_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDBRIDGE_TRYTON", str(tmp_path / "home"))
    monkeypatch.setattr(
        _server,
        "clean_environment",
        lambda: {
            "PATH": os.environ["PATH"],
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        },
    )
    with pytest.raises(Unobtainable, match=r"could not be fetched from the package index.*LANDBRIDGE_TRYTON"):
        _build.template()
    assert not (tmp_path / "home" / "installed").exists()


def test_our_code_imports_nothing_of_tryton(root: Path) -> None:
    files = list((root / "sandbox" / "tryton").glob("*.py"))
    assert len(files) >= 6
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            assert not [name for name in names if name.split(".")[0] in ("trytond", "proteus")], file
