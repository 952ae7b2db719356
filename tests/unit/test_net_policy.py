"""Nothing but the configured addresses is reached, and nothing secret is said."""

from __future__ import annotations

import ast
import logging
import socket
import traceback

import pytest
from pydantic import BaseModel, ValidationError
from wire_stub import reply, says, wire

from landbridge.errors import Denied, Failure, Rejected
from landbridge.net import Http, NetSettings, Url, addresses_of, open_http, origin, soap_transport
from landbridge.net import _address as address
from landbridge.secrets import Secret
from landbridge.time import SystemClock


def spellings(port: int) -> list[str]:
    """The same trap in the spellings that data could bring."""
    hosts = [
        "127.0.0.1", "localhost", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.0.0.1",
        "017700000001", "0177.0.0.1", "127.0.0.1.", "127.000.000.001", "[::1]", "[::]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "①②⑦.⓪.⓪.①", "127。0。0。1", "LOCALHOST", "localhost.",
        "localhost.localdomain", "127.0.0.2", "user@127.0.0.1", "crm.example@127.0.0.1", "crm.example:443@127.0.0.1",
        "crm.example%40127.0.0.1", "crm.example#@127.0.0.1", "crm.example\\@127.0.0.1", "127.0.0.1%00crm.example",
    ]  # fmt: skip
    found = [f"{scheme}://{host}:{port}/x" for host in hosts for scheme in ("http", "https")]
    for host in ("169.254.169.254", "2852039166", "0xa9fea9fe", "[fe80::1]", "[::ffff:169.254.169.254]"):
        found.append(f"http://{host}/latest/meta-data/")
    found += ["file:///etc/passwd", "gopher://127.0.0.1:1/x", "ftp://127.0.0.1/x", "dict://127.0.0.1/x"]
    found += [f"http:\\\\127.0.0.1:{port}\\x", f"http:///127.0.0.1:{port}/x", f"ht\ntp://127.0.0.1:{port}/x"]
    found += [f"http://127.0.0.1:{port} /x", "http://[::1", "http://127.0.0.1:99999/x", "http://127.0.0.1:port/x"]
    return found


def test_no_spelling_of_a_host_in_the_data_reaches_it():
    with wire(says(reply())) as trap:
        line = Http("crm", "https://crm.example", NetSettings(connect=1, read=1))
        cases = spellings(trap.port)
        assert len(cases) > 70
        for url in cases:
            with pytest.raises(Failure) as caught:
                line.request("GET", url)
            assert not caught.value.sent, url
            assert isinstance(caught.value, Denied) or url.startswith("http:\\"), url  # that one is a path
        assert trap.connections == 0


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/\\evil.example", "@evil.example/x", ".evil.example", ":1@evil/x"]
)
def test_a_path_cannot_become_a_host(path):
    with wire(says(reply())) as server:
        Http("crm", server.url, NetSettings(connect=1)).request("GET", path)
        assert len(server.requests) == 1


def test_paths_hang_under_the_base():
    with wire(says(reply())) as server:
        line = Http("crm", f"{server.url}/sap/odata/", NetSettings(connect=1))
        line.request("GET", "A_Order", params={"$top": "1 2"})
        line.request("GET", "/root")
        line.request("GET", f"{server.url}/sap/odata/next?$skiptoken=a%20b")
        heads = [request.split("\r\n")[0] for request in server.requests]
    assert heads == [
        "GET /sap/odata/A_Order?%24top=1+2 HTTP/1.1",
        "GET /root HTTP/1.1",
        "GET /sap/odata/next?$skiptoken=a%20b HTTP/1.1",
    ]


@pytest.mark.parametrize(
    "found", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "127.0.0.1", "::1", "0.0.0.0"]
)
def test_a_configured_name_that_resolves_to_a_forbidden_address_is_not_reached(monkeypatch, found):
    family = socket.AF_INET6 if ":" in found else socket.AF_INET
    monkeypatch.setattr(
        address.socket, "getaddrinfo", lambda *a, **k: [(family, socket.SOCK_STREAM, 6, "", (found, 443))]
    )
    with pytest.raises(Denied, match="never an address of a business system") as caught:
        Http("crm", "https://crm.example").request("POST", "/", json={})
    assert not caught.value.sent


def test_a_name_is_resolved_once_so_that_a_second_answer_cannot_differ(monkeypatch):
    asked = []

    with wire(says(reply())) as server:
        real = socket.getaddrinfo

        def rebinding(host, port, *args, **kwargs):
            if host == "localhost":
                asked.append(host)
                return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port, *args, **kwargs)
            return real(host, port, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        Http("crm", f"http://localhost:{server.port}", NetSettings(connect=1)).request("GET", "/")
        assert asked == ["localhost"]
        assert len(server.requests) == 1


def test_plain_http_stays_on_this_machine_unless_allowed():
    with pytest.raises(Denied, match="in the clear"):
        Http("erp", "http://erp.example")
    Http("erp", "http://erp.example", NetSettings(plain_http=True))
    Http("erp", "http://127.0.0.1:8080")


def test_the_environment_cannot_change_the_way(monkeypatch):
    with wire(says(reply())) as proxy, wire(says(reply())) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
        Http("crm", server.url).request("GET", "/")
        assert (proxy.connections, len(server.requests)) == (0, 1)


def test_the_proxy_of_the_settings_is_used_with_its_login():
    with wire(says(reply())) as proxy:
        settings = NetSettings(proxy=proxy.url, proxy_login=Secret.plain("bus:s3cret"), plain_http=True)
        Http("erp", "http://erp.example", settings).request("GET", "/x")
        assert proxy.requests[0].startswith("GET http://erp.example:80/x ")
        assert "Proxy-Authorization: Basic YnVzOnMzY3JldA==" in proxy.requests[0]


def test_an_untrusted_certificate_is_denied_and_a_named_ca_is_trusted(tmp_path):
    from sandbox._base import self_signed, serve

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    certificate, key = self_signed(tmp_path)
    with serve(app, tls=(certificate, key)) as server:
        with pytest.raises(Denied, match="not trusted") as caught:
            Http("crm", server.url).request("POST", "/", json={})
        assert not caught.value.sent
        assert Http("crm", server.url, NetSettings(ca=certificate)).request("GET", "/").ok
        by_name = server.url.replace("127.0.0.1", "localhost")
        assert Http("crm", by_name, NetSettings(ca=certificate)).request("GET", "/").ok


def test_a_secret_in_a_request_is_never_in_an_error(caplog):
    canary = "c4n4ry-9f81"
    caplog.set_level(logging.DEBUG)
    with wire(lambda line, request: line.close()) as server:
        line = Http("crm", server.url)
        bad = {"Authorization": f"Bearer {canary}\r\nX: y"}
        for headers in ({"Authorization": f"Bearer {canary}"}, bad):
            with pytest.raises(Failure) as caught:
                line.request("POST", f"/x?key={canary}", headers=headers, form={"assertion": canary})
            text = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(line) + str(line)
            assert canary not in text
    assert canary not in caplog.text


def test_line_breaks_cannot_smuggle_a_header():
    with wire(says(reply())) as server:
        with pytest.raises(Rejected) as caught:
            Http("crm", server.url).request("GET", "/", headers={"X-Ref": "4711\r\nX-Admin: 1"})
        assert not caught.value.sent
        assert server.requests == []


class TwoAddresses(BaseModel):
    login: str = "bus"
    url: Url
    login_url: Url | None = None


def test_only_marked_fields_of_a_configuration_are_reached():
    config = TwoAddresses(login="https://evil.example", url="https://a.example/", login_url="https://b.example")
    assert addresses_of(config) == ["https://a.example", "https://b.example"]
    line = open_http("crm", config, clock=SystemClock())
    assert line.allows("https://b.example/token")
    assert line.allows("/relative")
    assert not line.allows("https://b.example:8443/token")
    assert not line.allows("https://evil.example/")
    assert addresses_of(TwoAddresses(url="https://a.example")) == ["https://a.example"]


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "a.example", "https://", "https://u:p@a.example", "https://a.example\\b", "https://a b"]
)
def test_a_doubtful_address_is_refused_in_the_configuration(url):
    with pytest.raises(ValidationError) as caught:
        TwoAddresses(url=url)
    assert caught.value.error_count() == 1
    with pytest.raises(ValueError, match=r"."):
        origin(url)


def test_settings_take_time_spans_and_refuse_what_they_do_not_know():
    settings = NetSettings.model_validate({"read": "1.5m", "rate": {"requests": 3, "per": "24h"}})
    assert (settings.read, settings.rate.per) == (90.0, 86400.0)
    for wrong in ({"raed": "1s"}, {"read": "soon"}, {"read": 0}, {"proxy": "http://user:pw@proxy"}):
        with pytest.raises(ValidationError):
            NetSettings.model_validate(wrong)
    for name, field in NetSettings.model_fields.items():
        assert field.description, name
        assert field.examples, name


def test_soap_goes_the_same_way():
    with wire(says(reply(body=b"<x/>", Content_Type="text/xml"))) as server:
        transport = soap_transport(Http("erp", server.url))
        answer = transport.post(f"{server.url}/soap", "<a/>", {"SOAPAction": '"urn:x"'})
        assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"<x/>", "text/xml")
        with pytest.raises(Denied):
            transport.post("https://evil.example/soap", "<a/>", {})
    assert 'SOAPAction: "urn:x"' in server.requests[0]


NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "ssl", "urllib3", "zeep"}
ALLOWED = {
    "landbridge/supervise/_ports.py": "asks our own children on this machine whether they are up",
}


def test_only_net_opens_outgoing_sockets(root):
    found = []
    for package in ("landbridge", "connectors", "mdm", "dags"):
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if name.startswith("landbridge/net/") or name in ALLOWED:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules = [node.module]
                bad = [each for each in modules if each.split(".")[0] in NETWORK or each == "urllib.request"]
                found += [f"{name}:{node.lineno} imports {each}" for each in bad]
    assert not found, found
    assert all((root / name).exists() for name in ALLOWED), "an exception that is not needed any more"
