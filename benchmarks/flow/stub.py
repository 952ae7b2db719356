"""The other side of the flow benchmark: a source that pages orders and a target that takes batches, in one process.

Replies are made as cheaply as Python can and sent in one write each, so that the benchmark measures the engine.
"""

from __future__ import annotations

import asyncio
import sys

import orjson

PAGE, CUSTOMERS, PRODUCTS = 500, 5_000, 800


def order(i: int) -> dict[str, object]:
    """A 1.1 KB order with 1 to 5 lines."""
    return {
        "Id": f"801{i:015d}",
        "OrderNumber": f"{i:08d}",
        "PoNumber": f"45{i % 90000:05d}",
        "EffectiveDate": f"2026-{1 + i % 12:02d}-{1 + i % 28:02d}",
        "CurrencyIsoCode": ("USD", "EUR", "CNY")[i % 3],
        "Modified": f"2026-02-01T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z",
        "Account": f"001{i % CUSTOMERS:015d}",
        "ShipTo": {
            "street": f"{i % 700} Dock Road",
            "city": "Hamburg",
            "postalCode": f"{10000 + i % 9999}",
            "countryCode": "DE",
        },
        "Items": [
            {
                "Id": f"802{i:010d}{j:05d}",
                "Product": f"01t{(i + j) % PRODUCTS:015d}",
                "Description": None if j % 2 else f"Widget {(i + j) % PRODUCTS}, line {j}",
                "Quantity": float(1 + (i + j) % 9),
                "UnitPrice": round(5 + ((i * 7 + j * 13) % 1000) / 4, 2),
            }
            for j in range(1 + i % 5)
        ],
    }


class Peer(asyncio.Protocol):
    """One connection: HTTP/1.1 with keep-alive, bodies by Content-Length."""

    stored = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            reply = self.answer(head, body)
            self.transport.write(  # type: ignore[attr-defined]  # asyncio gives a full transport
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(reply) + reply
            )

    def answer(self, head: bytes, body: bytes) -> bytes:
        """`GET /orders?from=N` pages; `POST /orders` takes a list and gives an id for each."""
        if head.startswith(b"GET"):
            start = int(head.split(b" ")[1].rpartition(b"=")[2])
            return orjson.dumps({"orders": [order(i) for i in range(start, start + PAGE)]})
        if head.startswith(b"PUT"):
            return b"{}"
        sent = orjson.loads(body)
        first = Peer.stored
        Peer.stored += len(sent)
        return orjson.dumps([{"id": f"T{first + n:010d}", "ok": True} for n in range(len(sent))])


async def main() -> None:
    """Serve until the parent closes our standard input; the port goes to standard output."""
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
