"""How many records per second the REST connector brings, read and mapped, beside a bare requests loop in the same run.

A process of its own serves 500 records a page by a cursor, rendered beforehand. Ours reads them by a declaration (keys
and stamps taken, circles looked for) and maps six fields by a compiled mapping; the bare loop parses the same pages and
does nothing with them.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE, PAGES = 500, 20
ROOT = Path(__file__).resolve().parent.parent
MAPPING = """\
entity: customer
native: customers
in:
  number: id
  name: profile.name | trim
  currency: currency | upper
  emails:
    - {address: profile.email | lower}
  addresses:
    - {role: main, city: address.city}
  changed_at: updated_at | instant
"""


def record(number: int) -> dict[str, Any]:
    """One customer as such an API tells it, about 400 bytes."""
    return {
        "id": f"cus_{number:010d}",
        "kind": "company" if number % 3 else "person",
        "profile": {"name": f" Customer {number} ", "email": f"Buyer{number}@Example.COM", "phone": None},
        "address": {"street": f"{number % 900} Main St", "city": "Hamburg", "postal_code": "20095", "country": "DE"},
        "currency": "eur",
        "credit": number % 1000 + 0.5,
        "tags": ["a", "b"],
        "metadata": {"source": "web", "campaign": f"c{number % 7}"},
        "updated_at": f"2026-{number // 20000 + 1:02d}-{number % 28 + 1:02d}T10:{number % 60:02d}:12Z",
    }


def measure(seconds: float = 5.0) -> dict[str, float]:
    """`rest_records_per_s` by the clock on the wall, and `rest_of_bare`, its part of the bare loop's."""
    sys.path.insert(0, str(ROOT))
    server = subprocess.Popen([sys.executable, str(Path(__file__)), "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        ways = {"ours": _ours(url), "bare": _bare(url)}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for way in ways.values():
            assert way() == PAGE * PAGES  # loads and compiles what is needed
        end = time.monotonic() + seconds
        while len(rates["ours"]) < 3 or time.monotonic() < end:
            for name, way in ways.items():
                before = time.perf_counter()
                came = way()
                rates[name].append(came / (time.perf_counter() - before))
        ratio = statistics.median(ours / bare for ours, bare in zip(rates["ours"], rates["bare"], strict=True))
    finally:
        server.terminate()
        server.wait(10)
    return {
        "rest_records_per_s": round(statistics.median(rates["ours"])),
        "rest_bare_per_s": round(statistics.median(rates["bare"])),
        "rest_of_bare": round(ratio, 3),
    }


def _ours(url: str) -> Callable[[], int]:
    from connectors.declarative import Rest, RestConfig
    from landbridge.net import NetSettings, open_http
    from landbridge.time import SystemClock
    from landbridge.translator import Context, Translator

    read = {
        "path": "customers",
        "records": "data",
        "paging": {"type": "cursor", "next": "next", "size": PAGE, "limit": "limit"},
        "changes": {"query": {"updated_from": "{since}"}},
    }
    config = RestConfig.model_validate({"url": url, "entities": {"customer": {"stamp": "updated_at", "read": read}}})
    clock = SystemClock()
    shop = Rest("shop", config, open_http("shop", config, NetSettings(), clock=clock), clock)
    mapping = Translator(ROOT / "mappings").load_text(MAPPING)
    context = Context(system="shop")
    first = mapping.read(record(7), context)
    assert len(first) == 6 and first["name"] == "Customer 7", first

    def run() -> int:
        came = 0
        for page in shop.read("customer", None):
            for row in page.rows:
                assert row.body is not None
                mapping.read(row.body, context)
                came += 1
        return came

    return run


def _bare(url: str) -> Callable[[], int]:
    import requests

    session = requests.Session()

    def run() -> int:
        came, token = 0, None
        while True:
            params = {"limit": str(PAGE), **({"cursor": token} if token else {})}
            page = session.get(f"{url}/customers", params=params, timeout=10).json()
            came += len(page["data"])
            token = page["next"]
            if token is None:
                return came

    return run


async def _serve() -> None:
    pages = []
    for page in range(PAGES):
        rows = [record(page * PAGE + index) for index in range(PAGE)]
        following = f"p{page + 1}" if page + 1 < PAGES else None
        body = json.dumps({"data": rows, "next": following}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        pages.append(head.encode() + body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                _, found, rest = request.partition(b"cursor=p")
                number = int(rest.partition(b" ")[0].partition(b"&")[0]) if found else 0
                writer.write(pages[number])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(_serve())
    else:
        print(measure())
