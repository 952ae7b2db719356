"""One trace from the webhook to the target: what each span says, and what becomes of a sender's own trace."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from collector import collecting, otlp
from hooked import SECRET, Hooked, change, endpoint
from memory import Memory
from sqlalchemy import text
from starlette.responses import Response
from test_worker import at_work, until
from workbench import engine, flow

from landbridge import telemetry
from landbridge.connector import Entity, Row
from landbridge.errors import Unavailable
from landbridge.net import Http, NetSettings, traced, traceparent
from landbridge.telemetry._otlp import Otlp
from landbridge.telemetry._spans import wanted
from landbridge.time import uuid7
from landbridge.worker import Worker
from sandbox._base import serve

CUSTOMER = Entity("Customer", create="C", update="B", batch=10)
FEED = {"from": "crm", "entity": "customer", "webhook": True}
TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SENDER}-00"  # not sampled, says the sender: that is for us to decide


@pytest.fixture
def made(store, clock, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    crm, erp = Hooked("crm", clock, customer=CUSTOMER), Memory("erp", clock, customer=CUSTOMER)
    return engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp", extract=FEED)])


@pytest.fixture
def desk(made, clock):
    with endpoint({"standard": {"secrets": ["env:HOOK_SECRET"]}}, made, clock) as found:
        yield found


def stands(made: Any, *names: str) -> bool:
    return {one.header["name"] for one in made.parts.systems["erp"].effects("customer")} >= set(names)


def inbox(made: Any) -> list[Any]:
    with made.parts.store.reading() as connection:
        return list(connection.execute(text("select id, trace, told_at, source_key from inbox order by id")))


def test_a_sender_s_trace_goes_on_to_the_target(made, desk, monkeypatch):
    erp = made.parts.systems["erp"]
    carried: list[str] = []
    write = erp.write
    monkeypatch.setattr(erp, "write", lambda *given: (carried.append(traceparent.get()), write(*given))[1])
    with collecting() as kept, at_work(Worker(made)):
        assert desk.send(change("C1"), traceparent=TRACEPARENT).ok
        until(lambda: stands(made, "C1"))
        until(lambda: kept.named("deliver erp customer"))
    [message] = inbox(made)
    assert message.trace.hex == TRACE and message.told_at is not None
    receive, process = kept.one("receive crm customer"), kept.one("process crm customer")
    translate, deliver = kept.one("translate erp customer"), kept.one("deliver erp customer")
    assert {span.trace for span in kept.spans} == {UUID(hex=TRACE)}
    assert f"{receive.parent:016x}" == SENDER
    assert (process.parent, translate.parent, deliver.parent) == (receive.id, process.id, process.id)
    assert [span.kind for span in (receive, process, deliver)] == ["server", "internal", "client"]
    assert carried == [f"00-{TRACE}-{deliver.id:016x}-01"]
    assert deliver.attributes["landbridge.message"] == process.attributes["landbridge.message"] == message.id
    assert (deliver.attributes["landbridge.flow"], deliver.attributes["landbridge.outcome"]) == (
        "customers",
        "delivered",
    )
    assert receive.attributes["http.response.status_code"] == 200
    assert len({span.id for span in kept.spans}) == len(kept.spans)


MALFORMED = [
    "", "x", TRACEPARENT.upper(), f"00-{'0' * 32}-{SENDER}-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{SENDER}-01",
    f"00-{TRACE}-{SENDER}-01-more", f"00-{TRACE[:-1]}-{SENDER}-01", f"00-{TRACE}-{SENDER}", f"00-{TRACE}-{SENDER}-0g",
    f"00-{TRACE}-{SENDER}-01, 00-{TRACE}-{SENDER}-01", f"00-{'٣' * 32}-{SENDER}-01", "00-" + "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("header", MALFORMED)
def test_a_malformed_traceparent_is_as_none(header):
    assert telemetry.parent_of([header]) is None


def test_what_may_come_after_version_00_is_read_and_two_headers_are_none():
    told = telemetry.parent_of([f"cc-{TRACE}-{SENDER}-01-what-the-future-is-like"])
    assert told == telemetry.Parent(UUID(hex=TRACE), int(SENDER, 16))
    assert telemetry.parent_of([TRACEPARENT, TRACEPARENT]) is telemetry.parent_of([]) is None


def test_a_malformed_traceparent_does_not_keep_a_webhook_out(made, desk):
    with collecting() as kept:
        assert desk.send(change("C1"), traceparent="00-nonsense").ok
        assert desk.post(b"[]", {"traceparent": TRACEPARENT}).status_code == 401  # nobody's trace is taken unverified
        assert desk.send(change("C2"), change("C3")).ok
    assert len({one.trace for one in inbox(made)} | {UUID(hex=TRACE)}) == 4
    assert [span.parent for span in kept.spans] == [None] * 3


def test_a_polled_message_s_trace_begins_where_it_came_in(made):
    made.parts.systems["crm"].put("customer", "C1", {"name": "C1"})
    with collecting() as kept:
        made.run("customers")
        made.parts.systems["crm"].put("customer", "C1", {"name": "C1 again"})
        made.run("customers")
    names = [f"{word} crm customer" for word in ("extract", "process")]
    names += [f"{word} erp customer" for word in ("translate", "deliver")]
    assert Counter(span.name for span in kept.spans) == dict.fromkeys(names, 2)
    roots = kept.named("extract crm customer")
    assert [one.trace for one in roots] == [message.trace for message in inbox(made)]
    assert [one.parent for one in kept.named("process crm customer")] == [one.id for one in roots]
    assert [one.parent for one in roots] == [None, None]
    assert [one.told_at for one in inbox(made)] == [None, None]


def test_a_record_that_was_only_named_is_fetched_in_the_trace_that_named_it(made, desk):
    crm = made.parts.systems["crm"]
    carried: list[str] = []
    crm.fetch = lambda entity, ids: (carried.append(traceparent.get()), [Row(i, {"name": i}, stamp="1") for i in ids])[
        1
    ]
    with collecting() as kept, at_work(Worker(made)):
        assert desk.send(change("K1", body=None), traceparent=TRACEPARENT).ok
        until(lambda: stands(made, "K1"))
        until(lambda: kept.named("deliver erp customer"))
    receive, fetch, process = (kept.one(f"{word} crm customer") for word in ("receive", "fetch", "process"))
    assert {span.trace.hex for span in kept.spans} == {TRACE}
    assert fetch.parent == process.parent == receive.id
    assert carried == [f"00-{TRACE}-{fetch.id:016x}-01"]
    [message] = inbox(made)
    assert message.told_at is not None


def test_a_repetition_has_a_span_of_its_own_and_no_message(made, desk):
    with collecting() as kept:
        for _ in range(3):
            assert desk.send(change("C1", id="e1"), traceparent=TRACEPARENT).ok
    assert [span.attributes["landbridge.repeated"] for span in kept.spans] == [False, True, True]
    assert len({span.id for span in kept.spans}) == 3
    assert len(inbox(made)) == 1


def test_a_failed_attempt_and_a_bad_message_are_failed_spans_without_a_word_of_what_was_said(made, monkeypatch):
    crm, erp = made.parts.systems["crm"], made.parts.systems["erp"]
    crm.put("customer", "C1", {"name": "c4n4ry"})

    def refuse(*given: Any) -> Any:
        raise Unavailable("the c4n4ry is asleep", status="503", sent=False)

    with collecting() as kept:
        monkeypatch.setattr(erp, "write", refuse)
        made.run("customers")
    deliver = kept.one("deliver erp customer")
    assert (deliver.failed, deliver.attributes["http.response.status_code"]) == ("unavailable", 503)
    assert "c4n4ry" not in repr(kept.spans)


def test_several_messages_of_one_call_point_to_the_span_that_it_carried(made, monkeypatch):
    erp = made.parts.systems["erp"]
    carried: list[str] = []
    write = erp.write
    monkeypatch.setattr(erp, "write", lambda *given: (carried.append(traceparent.get()), write(*given))[1])
    for n in range(3):
        made.parts.systems["crm"].put("customer", f"C{n}", {"name": f"C{n}"})
    with collecting() as kept:
        made.run("customers")
    first, *others = kept.named("deliver erp customer")
    assert carried == [telemetry.traceparent_of(first.trace, first.id)]
    assert [list(one.links) for one in others] == [[telemetry.Parent(first.trace, first.id)]] * 2
    assert len({one.trace for one in (first, *others)}) == 3


def test_a_request_is_a_client_span_with_method_and_status_and_no_address(clock):
    trace, asked = uuid7(), []

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        asked.append(dict(scope["headers"]))
        await Response(b"", 503)(scope, receive, send)

    with serve(busy) as server, collecting() as kept:
        http = Http("erp", server.url, NetSettings(), clock=clock)
        with traced(telemetry.traceparent_of(trace, 7)):
            http.request("POST", "/A_Customer('c4n4ry')?q=c4n4ry", json={"name": "c4n4ry"})
        http.request("GET", "/of-no-message")
        http.close()
    [span] = kept.spans
    assert (span.name, span.kind, span.trace, span.parent, span.failed) == ("POST", "client", trace, 7, "503")
    assert span.attributes["http.request.method"] == "POST"
    assert span.attributes["http.response.status_code"] == 503
    assert span.attributes["server.address"] == "127.0.0.1"
    assert [one.get(b"traceparent") for one in asked] == [f"00-{trace.hex}-{span.id:016x}-01".encode(), None]
    assert "c4n4ry" not in repr(span)


def test_a_line_that_breaks_fails_its_span(clock):
    with collecting() as kept, traced(telemetry.traceparent_of(uuid7(), 7)), pytest.raises(Unavailable):
        Http("erp", "http://127.0.0.1:1", NetSettings(), clock=clock).request("GET", "/")
    [span] = kept.spans
    assert span.failed == "unavailable"


def test_while_nobody_collects_no_span_is_put_together(made, desk, monkeypatch):
    def never(*given: Any, **named: Any) -> None:
        raise AssertionError("a span was put together for nobody")

    monkeypatch.setattr(telemetry.Span, "__init__", never)
    monkeypatch.setattr("landbridge.telemetry._spans.random", None)  # nor an id for one
    assert not telemetry.on()
    with at_work(Worker(made)):
        assert desk.send(change("C1"), traceparent=TRACEPARENT).ok
        until(lambda: stands(made, "C1"))
    assert inbox(made)[0].trace.hex == TRACE, "the trace goes on all the same"


# -- the environment ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({}, None),
        ({"OTEL_SERVICE_NAME": "x"}, None),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, None),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "otlp"}, None),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, ""),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ""),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
    ],
)
def test_nobody_traces_unless_the_environment_asks(environ, what):
    said = wanted(environ)
    assert (said == what) if not what else (what in (said or "") and "hint" in (said or ""))


def test_a_ratio_is_held_to_though_our_ids_are_no_random_numbers(monkeypatch):
    """The SDK's own sampler compares the low half of an id: of a UUID that begins with the bits 10, always."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.2")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    one, other = Otlp(), Otlp()
    traces = [uuid7() for _ in range(4000)]
    chosen = [trace for trace in traces if one.sampled(trace)]
    assert 0.15 < len(chosen) / len(traces) < 0.25
    assert chosen == [trace for trace in traces if other.sampled(trace)], "every process decides the same"
    with telemetry.watched(one):
        left = next(trace for trace in traces if trace not in set(chosen))
        assert not telemetry.sampled(left)


def test_spans_arrive_at_a_collector_with_the_name_and_the_key_of_the_environment(monkeypatch):
    with otlp() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=c4n4ry%2Dkey")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "orders")
        sender, trace = Otlp(), uuid7()
        sender.keep(
            telemetry.Span("deliver erp customer", trace, 7, 8, 1000, 2000, kind="client", failed="unavailable")
        )
        sender.flush()
    [span] = collector.spans
    assert (span.trace, span.id, span.parent) == (trace.hex, f"{7:016x}", f"{8:016x}")
    assert (span.start, span.end, span.kind, span.failed) == (1000, 2000, 3, True)
    assert span.process["service.name"] == "orders"
    assert collector.headers[0]["x-key"] == "c4n4ry-key"
    from landbridge.secrets import scrub

    assert "c4n4ry-key" not in scrub("it said c4n4ry-key")


BARE = """
import sys
class Away:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Away())
from landbridge import telemetry
import landbridge.cli, landbridge.webhook, landbridge.worker, landbridge.engine
telemetry.begin(ENVIRON, warn=print)
print("on" if telemetry.on() else "off", "opentelemetry" in sys.modules)
"""


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, r"off False\n"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, r"OTEL_\*.*pip install 'landbridge\[otel\]'\noff False\n"),
    ],
)
def test_it_runs_without_the_extra_and_says_so_where_traces_are_asked_for(environ, says):
    line = [sys.executable, "-c", BARE.replace("ENVIRON", repr(environ))]
    ran = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    assert re.fullmatch(says, ran.stdout)
