"""Mapping speed beside hand-written Python and jsonatapy (Rust): 1.1 KB nested orders, parse → map → serialise.

    python benchmarks/mapping.py [--count 20000]

One process, one JSON library (orjson) for us and the hand-written rival; jsonatapy reads and writes JSON text itself,
which is its fastest way. Amounts are exact decimals here and in the hand-written rival, doubles in jsonatapy; all three
results are equal, which is checked before anything is timed. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import orjson
from _measure import cpu_baseline, interleaved

from landbridge.canonical import Canonical
from landbridge.translator import Context, Mapping, Tables, Translator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARED = ROOT.parent / "shared" / "bench"
CHUNK = 500


def documents(count: int) -> list[bytes]:
    """Orders as JSON lines: those of the shared generator, or of our own of the same shape."""
    generator = SHARED / "gen_orders.py"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "orders.jsonl"
        if generator.is_file():
            subprocess.run([sys.executable, str(generator), str(count), str(file)], check=True)
            return file.read_bytes().splitlines()
    return [orjson.dumps(own_order(number)) for number in range(count)]


def own_order(number: int) -> dict[str, Any]:
    """One order in the shape that the shared generator writes."""
    chance = random.Random(number)
    lines = [
        {
            "Id": f"802{number:010d}{line:05d}",
            "Quantity": float(1 + (number + line) % 9),
            "UnitPrice": round(5 + chance.randrange(1000) / 4, 2),
            "UnitOfMeasure": ("Each", "Box", "Kilogram")[(number + line) % 3],
            "Description": None if line % 2 else f"line {line}",
            "PricebookEntry": {"Product2": {"ProductCode": f"P-{(number + line) % 800:05d}", "Name": f"Widget {line}"}},
        }
        for line in range(1 + number % 5)
    ]
    return {
        "attributes": {"type": "Order", "url": f"/services/data/v60.0/sobjects/Order/801{number:015d}"},
        "Id": f"801{number:015d}",
        "OrderNumber": f"{number:08d}",
        "Status": ("Draft", "Activated", "Shipped", "Cancelled")[number % 4],
        "EffectiveDate": f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}T10:{number % 60:02d}:12Z",
        "CurrencyIsoCode": ("USD", "EUR", "CNY")[number % 3],
        "Account": {
            "Id": f"001{number % 5000:015d}",
            "Name": f"Customer {number % 5000}",
            "AccountNumber": f"C{number % 5000:06d}",
            "BillingAddress": {
                "street": f"{number % 900} Main St", "city": "Berlin",
                "postalCode": f"{10000 + number % 9999}", "countryCode": "DE",
            },
        },
        "ShipTo": {"street": f"{number % 700} Dock Rd", "city": "Hamburg", "postalCode": "20095", "countryCode": "DE"},
        "OrderItems": {"totalSize": len(lines), "records": lines},
    }  # fmt: skip


STATUS = {"Draft": "A", "Activated": "B", "Shipped": "C", "Cancelled": "X"}
UNITS = {"Each": "PC", "Box": "BX", "Kilogram": "KG"}
CENT = Decimal("0.01")


def by_hand(order: dict[str, Any]) -> dict[str, Any]:
    """The same mapping as a programmer writes it who knows that every field is there."""
    account, ship, date = order["Account"], order["ShipTo"], order["EffectiveDate"]
    bill = account["BillingAddress"]
    total = Decimal(0)
    lines = []
    for number, line in enumerate(order["OrderItems"]["records"], 1):
        product = line["PricebookEntry"]["Product2"]
        amount = Decimal(repr(line["Quantity"])) * Decimal(repr(line["UnitPrice"]))
        total += amount
        lines.append(
            {
                "SalesOrderItem": f"{number * 10:06d}",
                "Material": product["ProductCode"],
                "Text": line["Description"] or product["Name"],
                "RequestedQuantity": line["Quantity"],
                "RequestedQuantityUnit": UNITS[line["UnitOfMeasure"]],
                "NetAmount": float(amount.quantize(CENT, ROUND_HALF_UP)),
            }
        )
    return {
        "SalesOrderType": "CR" if order["Status"] == "Cancelled" else "OR",
        "PurchaseOrderByCustomer": order["OrderNumber"],
        "SoldToParty": account["AccountNumber"],
        "RequestedDeliveryDate": date[0:4] + date[5:7] + date[8:10],
        "TransactionCurrency": order["CurrencyIsoCode"],
        "OverallStatus": STATUS[order["Status"]],
        "Partners": [
            {
                "Function": "AG", "Name": account["Name"], "Street": bill["street"], "City": bill["city"],
                "Zip": bill["postalCode"], "Country": bill["countryCode"],
            },
            {
                "Function": "WE", "Name": account["Name"], "Street": ship["street"], "City": ship["city"],
                "Zip": ship["postalCode"], "Country": ship["countryCode"],
            },
        ],
        "to_Item": lines,
        "TotalNetAmount": float(total.quantize(CENT, ROUND_HALF_UP)),
    }  # fmt: skip


def order_mapping() -> Mapping:
    """The benchmark's mapping file, loaded like any other."""
    return Translator(HERE / "mapping", Tables(None)).get(".", "order")


def landbridge_way(mapping: Mapping) -> Callable[[bytes], bytes]:
    """Parse, map by the mapping file, serialise."""
    context = Context(system="crm")
    read, loads, dumps = mapping.read, orjson.loads, orjson.dumps
    return lambda text: dumps(read(loads(text), context))


def full_way() -> tuple[Callable[[bytes], bytes], Mapping, Mapping]:
    """Native → canonical, checked against its schema → target, each by an ordinary mapping file."""
    canonical = Canonical.load(ROOT / "schemas" / "canonical")
    translator = Translator(HERE / "mapping", Tables(HERE / "mapping" / "tables"), canonical)
    source, target = translator.get("full", "crm_order"), translator.get("full", "erp_order")
    inward = Context(system="crm")
    outward = Context(system="erp", target_id=lambda entity, subject: subject)
    read, write, check = source.read, target.write, canonical.check

    def run(text: bytes) -> bytes:
        body = read(orjson.loads(text), inward)
        check("sales_order", body)
        return orjson.dumps(write(body, outward, creating=True))

    return run, source, target


def jsonata_way() -> Callable[[bytes], str] | None:
    """jsonatapy on JSON text, or None where it or the expression is absent."""
    try:
        import jsonatapy
    except ImportError:
        return None
    expression = SHARED / "order.jsonata"
    if not expression.is_file():
        return None
    evaluate = jsonatapy.compile(expression.read_text()).evaluate_json
    return lambda text: evaluate(text.decode())


def each(run: Callable[[bytes], object]) -> Callable[[Sequence[bytes]], object]:
    """A contender out of what it does with one document."""

    def many(texts: Sequence[bytes]) -> None:
        for text in texts:
            run(text)

    return many


def check_equal(documents: Sequence[bytes], ways: dict[str, Callable[[bytes], Any]]) -> None:
    """Every way gives the same parsed result for every document, or the benchmark stops."""
    for text in documents:
        wanted = by_hand(orjson.loads(text))
        for name, way in ways.items():
            found = orjson.loads(way(text))
            if found != wanted:
                raise SystemExit(f"{name} gives another result:\n{json.dumps(found)}\n{json.dumps(wanted)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    texts = documents(parser.parse_args().count)
    ours, jsonata = landbridge_way(order_mapping()), jsonata_way()
    ways: dict[str, Callable[[bytes], Any]] = {
        "landbridge": ours,
        "hand": lambda text: orjson.dumps(by_hand(orjson.loads(text))),
    }
    if jsonata is not None:
        ways["jsonatapy"] = jsonata
    check_equal(texts[:2000], ways)
    full, _, _ = full_way()
    full(texts[0])
    timed = interleaved({name: each(way) for name, way in {**ways, "full way": full}.items()}, texts, chunk=CHUNK)
    print(f"{len(texts):,} documents, {sum(map(len, texts)) / len(texts):,.0f} bytes each, chunks of {CHUNK}")
    print(f"CPU baseline: {cpu_baseline():.1f} million additions per CPU-second")
    for name in timed.seconds:
        print(f"{name:12} {timed.per_second(name):>9,.0f} documents per CPU-second")
    result = {
        "of_hand": round(timed.ratio("landbridge", "hand"), 3),
        "of_jsonatapy": round(timed.ratio("landbridge", "jsonatapy"), 2) if jsonata is not None else None,
        "docs_per_cpu_s": round(timed.per_second("landbridge")),
        "full_way_docs_per_cpu_s": round(timed.per_second("full way")),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
