"""What happens on the line becomes the right Failure: sent or not, known or unknown."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from datetime import UTC, datetime

import pytest
from wire_stub import reply, says, wire

from landbridge import seam
from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Http, LocalBudget, NetSettings, Rate, outcome_of, retry_after, traced
from landbridge.time import ManualClock

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def http(url: str, **options: object) -> Http:
    return Http("crm", url, NetSettings(**{"connect": 2, "read": 0.3, **options}))


def cut_after_request(line: socket.socket, request: str) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
    line.close()


def hang(line: socket.socket, request: str) -> None:
    threading.Event().wait(0.8)


def half_a_body(line: socket.socket, request: str) -> None:
    line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"half":')
    line.close()


def drip(line: socket.socket, request: str) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(20):
        line.sendall(b"x")
        threading.Event().wait(0.1)


@pytest.mark.parametrize("answer", [cut_after_request, hang, half_a_body], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("method", "kind"), [("GET", Unavailable), ("POST", OutcomeUnknown)])
def test_a_broken_line_is_unknown_after_a_write_and_unavailable_after_a_read(answer, method, kind):
    with wire(answer) as server, pytest.raises(kind) as caught:
        http(server.url).request(method, "/x", json={} if method == "POST" else None)
    assert caught.value.sent
    assert len(server.requests) == 1, "nothing is sent twice behind the engine's back"


def test_a_post_that_only_reads_may_say_so():
    with wire(hang) as server, pytest.raises(Unavailable):
        http(server.url).request("POST", "/search", json={}, safe=True)


def test_a_refused_connection_says_that_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable) as caught:
        http(f"http://127.0.0.1:{port}").request("POST", "/x", json={})
    assert not caught.value.sent


def test_an_unknown_host_says_that_nothing_was_sent():
    with pytest.raises(Unavailable) as caught:
        http("https://no-such-host.invalid").request("POST", "/x", json={})
    assert not caught.value.sent


def test_an_earlier_refused_connection_does_not_make_a_later_cut_line_look_unsent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    try:
        http(f"http://127.0.0.1:{port}").request("GET", "/")
    except Unavailable:
        with wire(cut_after_request) as server, pytest.raises(OutcomeUnknown) as caught:
            http(server.url).request("POST", "/x", json={})
    assert caught.value.sent


@pytest.mark.parametrize(("method", "kind"), [("GET", Unavailable), ("POST", OutcomeUnknown)])
def test_a_reply_that_is_too_long_is_not_read_to_its_end(method, kind):
    bomb = gzip.compress(b"0" * 50_000_000)
    with wire(says(reply(body=bomb, Content_Encoding="gzip"))) as server, pytest.raises(kind, match="max_reply"):
        http(server.url, max_reply=1 << 20).request(method, "/x")


def test_a_reply_that_drips_is_cut_at_the_total_time():
    with wire(drip) as server, pytest.raises(Unavailable, match=r"net\.total"):
        http(server.url, total=0.4).request("GET", "/x")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_html_instead_of_json_is_a_failure_with_a_hint(method):
    with wire(says(reply(body=b"<html>Sign in</html>", Content_Type="text/html; charset=utf-8"))) as server:
        answer = http(server.url).request(method, "/x?token=hidden")
        with pytest.raises(Unavailable if method == "GET" else OutcomeUnknown, match="text/html instead of JSON") as e:
            answer.json()
    assert "hidden" not in str(e.value)
    assert e.value.hint


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_returned_and_never_followed(status):
    with (
        wire(says(reply())) as trap,
        wire(says(reply(status, Location=f"{trap.url}/stolen"))) as server,
    ):
        answer = http(server.url).request("GET", "/x", headers={"Authorization": "Bearer s3cret"})
        assert answer.status == status
        assert isinstance(outcome_of(answer, now=NOW), Denied)
        assert trap.requests == []


TABLE = [
    (200, None, None),
    (204, None, None),
    (304, None, None),
    (400, Rejected, Rejected),
    (401, Denied, Denied),
    (403, Denied, Denied),
    (404, Rejected, Rejected),
    (409, Conflict, Conflict),
    (412, Conflict, Conflict),
    (422, Rejected, Rejected),
    (429, Unavailable, Unavailable),
    (500, Unavailable, OutcomeUnknown),
    (502, Unavailable, OutcomeUnknown),
    (503, Unavailable, Unavailable),
    (504, Unavailable, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "read", "write"), TABLE)
def test_status_table(status, read, write):
    with wire(says(reply(status, b"" if status in (204, 304) else b"{}"))) as server:
        for method, kind in (("GET", read), ("POST", write)):
            outcome = outcome_of(http(server.url).request(method, "/x"), now=NOW, detail="because")
            assert type(outcome) is (kind or type(None))
            if outcome is not None:
                assert outcome.status == str(status)
                assert "because" in outcome.message
                assert outcome.hint


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sat, 21 Nov 2026 08:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 07:00:00 GMT", 0.0),
        ("999999999", 86400.0),
        ("soon", None),
        ("", None),
        (None, None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_retry_after_closes_the_budget_for_everybody():
    clock = ManualClock()
    budget = LocalBudget(None, clock)
    with wire(says(reply(429, Retry_After="20"), reply())) as server:
        line = Http("crm", server.url, clock=clock, budget=budget)
        refused = outcome_of(line.request("GET", "/"), now=clock.now())
        assert isinstance(refused, Unavailable)
        assert refused.wait == 20.0
        before = clock.now()
        line.request("GET", "/")
        assert (clock.now() - before).total_seconds() == 20.0


def test_the_rate_is_kept_over_any_span():
    clock = ManualClock()
    budget = LocalBudget(Rate(requests=5, per="1s"), clock)
    stamps = []
    for _ in range(26):
        budget.acquire()
        stamps.append(clock.now())
    assert stamps[4] == stamps[0], "one span's requests may go at once"
    assert (stamps[25] - stamps[0]).total_seconds() == pytest.approx(4.2, abs=0.01)


def test_connections_are_reused_and_limited():
    at_once, most, lock = 0, 0, threading.Lock()

    def slow(line: socket.socket, request: str) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.02)
        with lock:
            at_once -= 1
        line.sendall(reply())

    with wire(slow) as server:
        line = http(server.url, concurrency=2, read=5)
        threads = [threading.Thread(target=line.request, args=("GET", "/")) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 10
        assert server.connections <= 2
        assert most <= 2
        line.close()


def test_close_gives_the_connections_back():
    ended = threading.Event()

    def answer(line: socket.socket, request: str) -> None:
        line.sendall(reply())
        line.settimeout(5)
        if line.recv(1) == b"":
            ended.set()
        raise OSError

    with wire(answer) as server:
        line = http(server.url)
        line.request("GET", "/")
        assert not ended.is_set()
        line.close()
        assert ended.wait(5)


def test_the_trace_goes_along_and_each_request_passes_the_seam():
    steps: list[tuple[str, str]] = []
    with wire(says(reply())) as server, seam.install(lambda kind, what: steps.append((kind, what))):
        with traced("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
            http(server.url).request("POST", "/a?b=c", json={"n": 1})
        http(server.url).request("GET", "/a")
    assert "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" in server.requests[0]
    assert "traceparent" not in server.requests[1]
    assert steps[:2] == [("send", "crm: POST /a"), ("receive", "crm: POST /a")]


def test_a_crash_before_sending_sends_nothing():
    class Crash(BaseException):
        pass

    def crash(kind: str, what: str) -> None:
        if kind == "send":
            raise Crash

    with wire(says(reply())) as server, seam.install(crash), pytest.raises(Crash):
        http(server.url).request("POST", "/a", json={})
    assert server.requests == []


def test_every_failure_says_what_to_do():
    with wire(half_a_body) as server, pytest.raises(Failure) as caught:
        http(server.url).request("POST", "/x", json={})
    assert caught.value.hint
    assert caught.value.message.startswith("crm: POST /x")


def test_decimals_leave_exactly():
    from decimal import Decimal

    with wire(says(reply())) as server:
        http(server.url).request("POST", "/x", json={"amount": Decimal("1234567890123.10"), "tiny": Decimal("1E-7")})
    assert '{"amount":1234567890123.10,"tiny":0.0000001}' in server.requests[0]
