"""Links in replies: whatever spelling of whatever address a system names, only the system itself is asked.

Every connector that follows links is led to a trap on this machine, by its own protocol's words, in some hundred
spellings; and to things that are no links at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "contract"))
from connectors_under_test import REGISTRY, make_bench
from starlette.responses import JSONResponse
from test_net_policy import spellings
from wire_stub import Wire, reply, says, wire

from landbridge.errors import Denied, Failure, LandbridgeError
from landbridge.net import Http, NetSettings, read_wsdl, soap_transport

NO_LINKS: list[Any] = [
    7,
    1.5,
    True,
    {},
    {"href": "/x"},
    [],
    ["/x"],
    "\x00",
    "a" * 100_000,
    "http://",
    "//",
    "?",
    "#",
    " ",
]
"""What stands where a link is expected, and is none."""


@pytest.fixture(scope="module")
def trap() -> Iterator[Wire]:
    """Who connects here was led astray."""
    with wire(says(reply())) as found:
        yield found


def addresses(trap: Wire) -> list[str]:
    """The trap in every spelling, and more ways to leave the system."""
    port = trap.port
    more = [
        f"//127.0.0.1:{port}/x", f"///127.0.0.1:{port}/x", f"/\\127.0.0.1:{port}/x", f"\\\\127.0.0.1:{port}\\x",
        f"HTTP://127.0.0.1:{port}/x", f"hTTp://2130706433:{port}/", f"jar:http://127.0.0.1:{port}/!/x",
        f"http://127.0.0.1:{port}#@own.example/", f"http://own.example@127.0.0.1:{port}/", "data:text/plain,x",
        f"http://[::ffff:0:127.0.0.1]:{port}/", f"http://0x7f.1:{port}/", f"http://127.0.0.1:{port}\r\nHost: x/",
        f"\thttp://127.0.0.1:{port}/x", f" http://127.0.0.1:{port}/x", "ldap://127.0.0.1/x", "unix:///run/x",
        f"http:127.0.0.1:{port}/x", f"https:127.0.0.1:{port}", f"http://127.0.0.1.nip.io:{port}/", "javascript:x",
    ]  # fmt: skip
    return [*spellings(port), *more]


@contextmanager
def bench_of(name: str, folder: Path) -> Iterator[Any]:
    registration = REGISTRY[name] if hasattr(REGISTRY, "__getitem__") else REGISTRY.get(name)
    bench = make_bench(registration, folder)
    bench.start()
    try:
        yield bench
    finally:
        bench.close()
        bench.stop()


Lead = Callable[[Any], None]
"""Let the system name a link, and read what it leads to."""


def by_faults(bench: Any, config: dict[str, Any], envelope: Callable[[Any], Any], entity: str, side: str) -> Lead:
    connector = bench.connector(net={"connect": 1, "read": 2}, **config)
    connector.check()

    def lead(link: Any) -> None:
        bench.clear_faults()
        bench.fault(side, "reply", status=200, body=envelope(link), times=1)
        for _, _ in zip(range(3), connector.read(entity, None), strict=False):
            pass

    return lead


def leads(stack: ExitStack, kind: str, folder: Path) -> Lead:
    """One way of each protocol to name a next page."""
    bench = stack.enter_context(bench_of(kind.partition(" ")[0], folder))
    raw = bench.raw_config()
    if kind == "salesforce":
        told = {"totalSize": 9, "done": False, "records": []}
        return by_faults(bench, {}, lambda link: {**told, "nextRecordsUrl": link}, "customer", "read")
    if kind == "salesforce lines":

        def lines(link: Any) -> Any:
            inner = {"totalSize": 9, "done": False, "records": [], "nextRecordsUrl": link}
            record = {"Id": "801000000000000002", "SystemModstamp": "2026-01-05T08:00:00.000+0000", "OrderItems": inner}
            return {"totalSize": 1, "done": True, "records": [record]}

        return by_faults(bench, {}, lines, "sales_order", "read")
    if kind == "sap_s4":
        return by_gateway(bench)
    if kind == "odata":
        return by_faults(bench, {}, lambda link: {"value": [], "@odata.nextLink": link}, "customer", "read")
    entities = raw["entities"]
    paging = {"type": "link_header"} if kind == "rest header" else {"type": "next_link", "next": "next"}
    entities["customer"]["read"] = {**entities["customer"]["read"], "paging": paging}
    if kind == "rest":
        return by_faults(bench, {"entities": entities}, lambda link: {"data": [], "next": link}, "customer", "read")
    connector = bench.connector(net={"connect": 1, "read": 2}, entities=entities)

    def lead(link: Any) -> None:
        try:
            headers = JSONResponse({}, headers={"Link": f'<{link}>; rel="next"'}).headers
        except UnicodeEncodeError:
            return
        if any(sign in headers["link"] for sign in "\r\n\0"):
            return  # no server can send it
        bench.clear_faults()
        bench.fault("read", "reply", status=200, body={"data": []}, headers={"Link": headers["link"]}, times=1)
        for _, _ in zip(range(3), connector.read("customer", None), strict=False):
            pass

    return lead


def by_gateway(bench: Any) -> Lead:
    """SAP's own links are followed by the gateway below every reader."""
    connector = bench.connector(net={"connect": 1, "read": 2})
    connector.check()
    gateway = connector._gateway

    def lead(link: Any) -> None:
        bench.clear_faults()
        bench.fault("read", "reply", status=200, body={"d": {"results": [], "__next": link}}, times=1)
        for _, _ in zip(range(3), gateway.all("API_PRODUCT_SRV", "A_Product", {"$top": 1}), strict=False):
            pass

    return lead


KINDS = ["rest", "rest header", "odata", "salesforce", "salesforce lines", "sap_s4"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_next_page_never_leads_out_of_the_system(kind: str, tmp_path: Path, trap: Wire) -> None:
    with ExitStack() as stack:
        lead = leads(stack, kind, tmp_path)
        links = addresses(trap)
        assert len(links) > 80
        refused = 0
        for link in [*links, *NO_LINKS]:
            try:
                lead(link)
            except Denied as error:
                refused += not error.sent
            except LandbridgeError:
                pass  # a path of the system itself that is not there, or no link at all
        assert refused > 50
    assert trap.connections == 0


def test_the_org_that_answers_cannot_move_to_the_trap(tmp_path: Path, trap: Wire) -> None:
    with bench_of("salesforce", tmp_path) as bench:
        for address in addresses(trap):
            body = {"access_token": "t0k3n-of-a-stranger", "instance_url": address, "id": f"{address}/id/00D/005"}
            bench.fault("login", "reply", status=200, body=body, times=1)
            with pytest.raises(Failure):
                bench.connector(net={"connect": 1, "read": 2}).check()
            bench.clear_faults()
    assert trap.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_in_any_spelling(status: int, trap: Wire) -> None:
    for address in addresses(trap):
        if any(sign in address for sign in "\r\n"):
            continue  # no server can send it
        location = address.encode("utf-8").decode("latin-1")
        with wire(says(reply(status, b"", Location=location))) as server:
            line = Http("crm", server.url, NetSettings(connect=1, read=2))
            assert line.request("GET", "/x").status == status
            transport = soap_transport(Http("crm", server.url, NetSettings(connect=1, read=2)))
            assert transport.post(f"{server.url}/x", "<a/>", {}).status_code == status
            assert len(server.requests) == 2
    assert trap.connections == 0


def test_a_wsdl_imports_nothing_from_the_trap(tmp_path: Path, trap: Wire) -> None:
    head = '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    ways = (
        '<import namespace="urn:x" location="{}"/>',
        '<types><xs:schema><xs:import namespace="urn:x" schemaLocation="{}"/></xs:schema></types>',
        '<types><xs:schema><xs:include schemaLocation="{}"/></xs:schema></types>',
    )
    for number, address in enumerate(addresses(trap)):
        if any(sign < " " for sign in address) or "\\" in address:
            continue
        text = f"{head}{ways[number % 3].format(address.replace('&', '&amp;'))}</definitions>"
        local = tmp_path / f"{number}.wsdl"
        local.write_text(text, encoding="utf-8")
        with pytest.raises(LandbridgeError):
            read_wsdl(str(local))
        with wire(says(reply(body=text.encode()), reply(404))) as server, pytest.raises(LandbridgeError):
            read_wsdl(f"{server.url}/x.wsdl", Http("house", server.url, NetSettings(connect=1, read=2)))
    assert trap.connections == 0
