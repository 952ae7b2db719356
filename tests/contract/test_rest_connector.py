"""REST by declaration: every paging, the guards against products that do not keep to it, writes, errors, the check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.declarative import Rest, RestConfig
from landbridge.connector import Delivered, LineWrite, Write
from landbridge.errors import Conflict, Denied, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import NetSettings, open_http
from landbridge.time import ManualClock
from sandbox._base import Clock, Served, serve
from sandbox.rest import Manners, RestSandbox

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
Say = Callable[[Request, int], Any]


class Script:
    """A product that answers as a function says; `seen` are the requests."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.seen: list[tuple[str, str, dict[str, str], Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await request.body()
        path = request.scope["raw_path"].decode()
        self.seen.append((request.method, path, dict(request.query_params), json.loads(body) if body else None))
        said = self._say(request, len(self.seen))
        reply = said if isinstance(said, Response) else JSONResponse(said)
        await reply(scope, receive, send)


@pytest.fixture
def product() -> Iterator[Callable[..., tuple[Rest, Script]]]:
    """A connector at a scripted product."""
    servers: list[Served] = []
    made: list[Rest] = []

    def start(say: Say, entity: dict[str, Any], **config: Any) -> tuple[Rest, Script]:
        script = Script(say)
        servers.append(serve(script))
        raw = {"url": servers[-1].url, "entities": {"customer": entity}, **config}
        made.append(connect(raw))
        return made[-1], script

    yield start
    for each in made:
        each.close()
    for server in servers:
        server.stop()


def connect(raw: dict[str, Any], clock: ManualClock | None = None) -> Rest:
    config, clock = RestConfig.model_validate(raw), clock or ManualClock(AT)
    return Rest("shop", config, open_http("shop", config, NetSettings(connect=2, read=2), clock=clock), clock)


def rec(number: int, at: str = "2026-11-20T08:00:00Z", **more: Any) -> dict[str, Any]:
    return {"id": number, "at": at, **more}


def reads(paging: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"stamp": "at", "read": {"path": "customers", "records": "data", "paging": paging, **more}}


def keys_of(rest: Rest, since: str | None = None) -> list[str]:
    return [row.key for page in rest.read("customer", since) for row in page.rows]


OFFSET = {"type": "offset", "size": 2}
PAGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("offset", {"type": "offset", "size": 7}, {"records": "data"}),
    ("offset", {"type": "offset", "size": 7, "total": "total"}, {"records": "data"}),
    ("page", {"type": "page", "size": 7, "limit": "limit", "ends": "short"}, {"records": "results"}),
    ("page", {"type": "page", "size": 5, "limit": "limit", "pages": "page.last"}, {"records": "results"}),
    ("cursor", {"type": "cursor", "size": 7, "limit": "limit", "next": "meta.next"}, {"records": "data"}),
    ("link", {"type": "link_header", "size": 7, "limit": "limit"}, {"records": "."}),
    ("next", {"type": "next_link", "size": 7, "limit": "limit"}, {"records": "value"}),
]


@pytest.mark.parametrize(("style", "paging", "more"), PAGES)
@pytest.mark.parametrize("resumed", [False, True])
def test_every_paging_brings_every_record_once(
    style: str, paging: dict[str, Any], more: dict[str, Any], resumed: bool
) -> None:
    api = RestSandbox(Manners(paging=style), clock=Clock(AT, frozen=True))
    made = api.store.load("customers", ({"name": f"C{index}"} for index in range(35)))
    with serve(api.app) as server:
        entity = {"stamp": "updated_at", "read": {"path": "customers", "paging": paging, **more}}
        raw = {"url": f"{server.url}/v1", "entities": {"customer": entity}}
        if not resumed:
            assert keys_of(connect(raw)) == made
            return
        cursor, found = None, []
        while len(found) < 35:
            page = next(connect(raw).read("customer", cursor))  # a new process each time: only the cursor is left
            cursor = page.cursor
            found += [row.key for row in page.rows]
        assert found == made


def test_a_search_by_post_puts_paging_and_filter_into_the_body(product: Any) -> None:
    def say(request: Request, count: int) -> Any:
        return {"data": [rec(count)] if count < 3 else []}

    read = {
        "method": "POST", "parameters": "body", "body": {"scope": "all"},
        "changes": {"query": {"filter.since": "{since}"}, "format": "milliseconds"},
    }  # fmt: skip
    paging = {"type": "offset", "offset": "page.from", "limit": "page.size", "size": 1}
    rest, script = product(say, reads(paging, **read))
    assert keys_of(rest, "2026-11-01T00:00:00Z") == ["1", "2"]
    since = {"since": 1793491200000 - 300_000}
    assert script.seen[1][3] == {"scope": "all", "filter": since, "page": {"size": 1, "from": 1}}


def test_the_last_record_names_the_next_page(product: Any) -> None:
    def say(request: Request, count: int) -> Any:
        after = int(request.query_params.get("starting_after", "0"))
        return {"data": [rec(after + 1), rec(after + 2)], "has_more": after < 4}

    paging = {"type": "cursor", "cursor": "starting_after", "last": "id", "more": "has_more"}
    rest, _ = product(say, reads(paging))
    assert keys_of(rest) == ["1", "2", "3", "4", "5", "6"]


# --- products that do not keep to it


@pytest.mark.parametrize("paging", [OFFSET, {"type": "page", "size": 2}, {"type": "cursor", "next": "next"}])
def test_a_page_that_comes_again_for_ever_is_refused(product: Any, paging: dict[str, Any]) -> None:
    def say(request: Request, count: int) -> Any:
        return {"data": [rec(1), rec(2)], "next": f"t{count}"}

    rest, script = product(say, reads(paging))
    pages = rest.read("customer", None)
    first = next(pages)
    with pytest.raises(Rejected, match="came again") as caught:
        next(pages)
    assert "paging" in caught.value.hint
    assert len(script.seen) == 2
    with pytest.raises(Rejected, match="came again"):
        list(rest.read("customer", first.cursor))


def test_pages_that_go_in_a_circle_are_refused(product: Any) -> None:
    rest, script = product(
        lambda request, count: {"data": [rec(count % 7)], "next": f"t{count}"},
        reads({"type": "cursor", "next": "next"}),
    )
    with pytest.raises(Rejected, match="came again"):
        list(rest.read("customer", None))
    assert len(script.seen) < 40


def test_a_token_that_stays_the_same_is_refused(product: Any) -> None:
    rest, script = product(
        lambda request, count: {"data": [rec(count)], "next": "t"}, reads({"type": "cursor", "next": "next"})
    )
    with pytest.raises(Rejected, match="same page"):
        list(rest.read("customer", None))
    assert len(script.seen) == 2


def test_empty_pages_without_an_end_are_refused(product: Any) -> None:
    rest, _ = product(
        lambda request, count: {"data": [], "next": f"t{count}"}, reads({"type": "cursor", "next": "next"})
    )
    with pytest.raises(Rejected, match="empty pages"):
        list(rest.read("customer", None))


@pytest.mark.parametrize(
    ("say", "told"),
    [
        (lambda request, count: {"data": [rec(count)] if count < 3 else [], "total": 9}, "only 2 of 9"),
        (lambda request, count: {"data": [rec(2 * count), rec(2 * count + 1)], "total": 1}, "2 records came"),
    ],
)
def test_a_total_that_disagrees_is_told_and_nothing_half_read(product: Any, say: Say, told: str) -> None:
    rest, _ = product(say, reads({**OFFSET, "total": "total"}))
    with pytest.raises(Unavailable, match=told):
        list(rest.read("customer", None))
    snapshot = reads({**OFFSET, "total": "total"})
    del snapshot["stamp"]
    rest, _ = product(say, snapshot)
    seen = []
    with pytest.raises(Unavailable, match=told):
        seen += list(rest.read("customer", None))
    assert not any(page.complete for page in seen)


def test_a_snapshot_is_complete_when_the_total_agrees(product: Any) -> None:
    entity = reads({**OFFSET, "total": "total"})
    del entity["stamp"]
    rest, _ = product(lambda request, count: {"data": [rec(2 * count), rec(2 * count + 1)], "total": 4}, entity)
    pages = list(rest.read("customer", None))
    assert [(len(page.rows), page.complete, page.total) for page in pages] == [(2, False, 4), (2, True, 4)]
    assert rest.entity("customer").snapshot


def test_records_that_went_while_being_counted_begin_the_pass_anew(product: Any) -> None:
    left = [rec(number) for number in range(6)]

    def say(request: Request, count: int) -> Any:
        if count == 2:
            del left[0]  # everything moves up by one: record 2 would be overlooked
        start = int(request.query_params["offset"])
        return {"data": left[start : start + 2], "total": len(left)}

    rest, _ = product(say, reads({**OFFSET, "total": "total"}))
    assert set(keys_of(rest)) == {"0", "1", "2", "3", "4", "5"}


@pytest.mark.parametrize("went", [True, False])
def test_a_total_that_moved_between_two_pages_does_not_hold_the_feed_for_ever(product: Any, went: bool) -> None:
    """A record of the first page goes, or another one comes before it: tokens go on, and the sum never agrees again."""
    left = [rec(number) for number in range(4)]

    def say(request: Request, count: int) -> Any:
        at = request.query_params.get("after")
        start = next(n for n, each in enumerate(left) if each["id"] == int(at)) + 1 if at else 0
        told = {"data": left[start : start + 2], "total": len(left)}
        return {**told, "next": str(told["data"][-1]["id"]) if start + 2 < len(left) else None}

    paging = {"type": "cursor", "size": 2, "cursor": "after", "next": "next", "total": "total"}
    rest, _ = product(say, reads(paging))
    reading = rest.read("customer", None)
    cursor = next(reading).cursor
    if went:
        del left[0]
    else:
        left.insert(0, rec(9))
    with pytest.raises(Unavailable, match="records came"):
        next(reading)
    pages = list(rest.read("customer", cursor))
    assert {row.key for page in pages for row in page.rows} >= {"2", "3"} | (set() if went else {"9"})
    assert pages[-1].cursor is not None
    assert "open" not in json.loads(pages[-1].cursor)


def test_keys_are_not_told_where_records_moved_while_they_were_counted(product: Any) -> None:
    left = [rec(number) for number in range(6)]

    def say(request: Request, count: int) -> Any:
        if count == 2:
            del left[0]
        start = int(request.query_params["offset"])
        return {"data": left[start : start + 2], "total": len(left)}

    rest, _ = product(say, reads({**OFFSET, "total": "total"}))
    with pytest.raises(Unavailable, match="went while"):
        list(rest.keys("customer"))


def test_a_next_link_that_is_but_a_query_belongs_to_what_was_asked(product: Any) -> None:
    def say(request: Request, count: int) -> Any:
        if request.url.path != "/v1/sales/customers":
            return JSONResponse({}, 404)
        return {"data": [rec(count)], "next": f"?page={count + 1}" if count < 3 else None}

    entity = reads({"type": "next_link", "next": "next"})
    entity["read"]["path"] = "v1/sales/customers"
    rest, script = product(say, entity)
    assert keys_of(rest) == ["1", "2", "3"]
    assert [query.get("page") for _, _, query, _ in script.seen] == [None, "2", "3"]


def test_what_moves_while_it_is_read_is_not_overlooked_where_there_is_an_order(product: Any) -> None:
    held = {number: f"2026-11-20T08:00:{number:02d}Z" for number in range(9)}

    def say(request: Request, count: int) -> Any:
        if count == 2:
            held[0] = "2026-11-20T09:00:00Z"  # the first of page one goes to the end: all others move up
        since, start = request.query_params.get("since", ""), int(request.query_params["offset"])
        found = sorted((at, number) for number, at in held.items() if at >= since)
        return {"data": [rec(number, at) for at, number in found[start : start + 3]]}

    entity = reads({**OFFSET, "size": 3}, ordered=True, changes={"query": {"since": "{since}"}})
    rest, _ = product(say, entity)
    assert set(keys_of(rest)) == {str(number) for number in range(9)}


@pytest.mark.parametrize(
    ("stamps", "told"),
    [(["2026-11-20T08:00:02Z", "2026-11-20T08:00:01Z"], "not ordered"), (["2026-10-01T08:00:00Z"], "older than asked")],
)
def test_an_order_or_filter_without_effect_is_refused(product: Any, stamps: list[str], told: str) -> None:
    entity = reads(OFFSET, ordered=True, changes={"query": {"since": "{since}"}})
    rest, _ = product(lambda request, count: {"data": [rec(n, at) for n, at in enumerate(stamps)]}, entity)
    with pytest.raises(Rejected, match=told):
        list(rest.read("customer", "2026-11-19T00:00:00Z"))


@pytest.mark.parametrize("link", ["https://evil.example/x", "//evil.example/x", "http://169.254.169.254/x"])
@pytest.mark.parametrize("kind", ["link_header", "next_link"])
def test_a_next_page_at_another_host_is_refused(product: Any, kind: str, link: str) -> None:
    def say(request: Request, count: int) -> Any:
        return JSONResponse({"data": [rec(count)], "next": link}, headers={"Link": f'<{link}>; rel="next"'})

    rest, script = product(say, reads({"type": kind}))
    with pytest.raises(Denied):
        list(rest.read("customer", None))
    assert len(script.seen) == 1


def test_our_key_is_not_kept_where_a_link_repeats_it(product: Any, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("c4n4ry-key", encoding="utf-8")

    def say(request: Request, count: int) -> Any:
        assert request.query_params.getlist("key") == ["c4n4ry-key"]
        return {"data": [rec(count)], "next": f"/customers?at={count}&key=c4n4ry-key" if count < 3 else None}

    auth = {"type": "api_key", "key": f"file:{tmp_path / 'key'}", "query": "key"}
    rest, _ = product(say, reads({"type": "next_link"}), auth=auth)
    pages = list(rest.read("customer", None))
    assert [len(page.rows) for page in pages] == [1, 1, 1]
    assert all("c4n4ry" not in str(page.cursor) for page in pages)


def test_a_token_that_has_expired_begins_anew_from_what_is_certain(product: Any) -> None:
    def say(request: Request, count: int) -> Any:
        if "cursor" in request.query_params:
            return JSONResponse({"error": {"code": "bad_cursor"}}, 410)
        return {"data": [rec(1)], "next": "t1" if count == 1 else None}

    rest, script = product(say, reads({"type": "cursor", "next": "next"}))
    first = next(rest.read("customer", None))
    assert keys_of(rest, first.cursor) == ["1"]
    assert len(script.seen) == 3


@pytest.mark.parametrize("body", [{"data": {}}, {"rows": []}, [], {"data": [1]}, {"data": [{"at": "x"}]}])
def test_a_reply_of_another_shape_is_refused(product: Any, body: Any) -> None:
    rest, _ = product(lambda request, count: body, reads(OFFSET))
    with pytest.raises(Rejected) as caught:
        list(rest.read("customer", None))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("stamp", "held", "wanted"),
    [
        ("at", "2026-11-20T08:00:00+01:00", "2026-11-20T07:00:00+00:00"),
        ({"path": "at", "zone": "Europe/Berlin"}, "2026-07-01T08:00:00", "2026-07-01T06:00:00+00:00"),
        ({"path": "at", "format": "seconds"}, 1795334400, "2026-11-22T08:00:00+00:00"),
        ({"path": "at", "format": "milliseconds"}, "1795334400123", "2026-11-22T08:00:00.123000+00:00"),
        ({"path": "at", "format": "%d.%m.%Y %H:%M", "zone": "UTC"}, "22.11.2026 07:30", "2026-11-22T07:30:00+00:00"),
        (["none", "at"], "2026-11-20T08:00:00Z", "2026-11-20T08:00:00+00:00"),
    ],
)
def test_stamps_are_read_as_declared(product: Any, stamp: Any, held: Any, wanted: str) -> None:
    rest, _ = product(lambda request, count: {"data": [rec(1, held)]}, {**reads({"type": "none"}), "stamp": stamp})
    [page] = rest.read("customer", None)
    assert page.rows[0].stamp == wanted


@pytest.mark.parametrize("held", ["2026-11-20T08:00:00", "soon", None, True, {"x": 1}])
def test_a_record_without_a_sound_stamp_is_not_overlooked(product: Any, held: Any) -> None:
    rest, _ = product(lambda request, count: {"data": [rec(1, held)]}, reads({"type": "none"}))
    with pytest.raises(Rejected) as caught:
        list(rest.read("customer", None))
    assert "stamp" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, "2026-11-20T07:55:00Z"),
        ({"inclusive": False}, "2026-11-20T07:54:59Z"),
        ({"format": "iso_milliseconds"}, "2026-11-20T07:55:00.000Z"),
        ({"format": "seconds"}, "1795161300"),
        ({"format": "date", "zone": "Asia/Shanghai"}, "2026-11-20"),
        ({"format": "%Y%m%d%H%M%S", "zone": "Europe/Berlin"}, "20261120085500"),
    ],
)
def test_filters_are_written_as_declared(product: Any, changes: dict[str, Any], wanted: str) -> None:
    entity = reads({"type": "none"}, changes={"query": {"since": "{since}"}, **changes})
    rest, script = product(lambda request, count: {"data": []}, entity)
    list(rest.read("customer", "2026-11-20T08:00:00Z"))
    assert script.seen[0][2]["since"] == wanted


def test_where_nothing_filters_what_was_told_is_not_told_again(product: Any) -> None:
    rest, _ = product(
        lambda request, count: {"data": [rec(1, "2026-01-01T00:00:00Z"), rec(2, "2026-11-20T08:00:00Z")]},
        reads({"type": "none"}),
    )
    assert keys_of(rest) == ["1", "2"]
    assert keys_of(rest, "2026-11-20T08:00:00Z") == ["2"]


# --- errors


def test_an_error_inside_a_200_becomes_what_its_code_says(product: Any) -> None:
    codes = iter(["DUP", "BUSY", "LOCKED", "ODD"])

    def say(request: Request, count: int) -> Any:
        return {"success": False, "errorCode": next(codes), "errorMessage": "no", "retry": 12}

    errors = {
        "when": [{"path": "success", "equals": False}], "code": "errorCode", "message": "errorMessage",
        "wait": "retry", "outcomes": {"DUP": "conflict", "BUSY": "unavailable", "LOCKED": "denied"},
    }  # fmt: skip
    rest, _ = product(say, {"create": {"path": "customers"}}, errors=errors)
    found = [write(rest) for _ in range(4)]
    assert [type(each) for each in found] == [Conflict, Unavailable, Denied, Rejected]
    assert found[1].wait == 12
    assert "ODD: no" in found[3].message


def test_a_status_of_its_own_meaning(product: Any) -> None:
    rest, _ = product(
        lambda request, count: JSONResponse({}, 400), {"create": {"path": "c"}}, errors={"outcomes": {400: "unknown"}}
    )
    assert isinstance(write(rest), OutcomeUnknown)


# --- writes


def write(rest: Rest, **change: Any) -> Any:
    body = {"name": "Acme"}
    made = Write("customer", "create", uuid4(), 1, "key-1", "ref/1", body, dict(body))
    for name, value in change.items():
        object.__setattr__(made, name, value)
    return rest.write("customer", [made])[0]


def test_a_call_is_made_as_declared(product: Any) -> None:
    def say(request: Request, count: int) -> Any:
        said[0] = request.headers.get("Idem", "")
        return JSONResponse({"customer": {"id": 7, "rev": 3}}, 201)

    said = [""]
    create = {
        "path": "c/new",
        "method": "PUT",
        "wrap": "customer",
        "idempotency": "Idem",
        "query": {"by": "{reference}"},
    }
    rest, script = product(say, {"create": create, "reference": "ext.ref", "version": "rev"})
    assert rest.entity("customer").create == "A"
    outcome = write(rest)
    assert (outcome.target_id, outcome.version, outcome.created) == ("7", "3", True)
    body = {"customer": {"name": "Acme", "ext": {"ref": "ref/1"}}}
    assert script.seen == [("PUT", "/c/new", {"by": "ref/1"}, body)]
    assert said == ["key-1"]


@pytest.mark.parametrize(("key", "path"), [("a/b", "/c/a%2Fb"), ("x?y=1#z", "/c/x%3Fy%3D1%23z")])
def test_an_id_never_becomes_another_address(product: Any, key: str, path: str) -> None:
    rest, script = product(lambda request, count: {"id": key}, {"create": {"path": "c"}, "update": {"path": "c/{id}"}})
    write(rest, action="update", target_id=key, before={})
    assert script.seen[0][1] == path


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_an_id_that_would_climb_is_refused(product: Any, key: str) -> None:
    rest, script = product(lambda request, count: {}, {"create": {"path": "c"}, "delete": {"path": "c/{id}"}})
    outcome = write(rest, action="delete", target_id=key, policy="delete")
    assert isinstance(outcome, Rejected)
    assert not outcome.sent
    assert script.seen == []


@pytest.mark.parametrize(
    ("reply", "call"),
    [
        (Response(status_code=201, headers={"Location": "/c/a%20b"}), {"location": True}),
        (JSONResponse({"result": {"newId": "a b"}}), {"id": "result.newId"}),
    ],
)
def test_an_id_alone_is_enough(product: Any, reply: Response, call: dict[str, Any]) -> None:
    rest, _ = product(lambda request, count: reply, {"create": {"path": "c", **call}})
    assert write(rest).target_id == "a b"


def test_a_reply_without_an_id_is_looked_up_and_never_called_a_failure(product: Any) -> None:
    def say(request: Request, count: int) -> Any:
        if request.method == "POST":
            return Response(status_code=204)
        return {"data": [{"id": 9, "ref": "ref/1"}]} if count < 3 else JSONResponse({}, 503)

    find = {"path": "c", "query": {"ref": "{reference}"}, "records": "data"}
    rest, _ = product(say, {"create": {"path": "c"}, "reference": "ref", "find": find})
    assert rest.entity("customer").create == "C"
    assert write(rest).target_id == "9"
    assert isinstance(write(rest), OutcomeUnknown), "the write went through; only the look-up failed"


def test_a_search_without_effect_is_refused(product: Any) -> None:
    find = {"path": "c", "query": {"ref": "{reference}"}, "records": "data"}
    rest, _ = product(
        lambda request, count: {"data": [{"id": 1, "ref": "other"}, {"id": 2, "ref": None}]},
        {"create": {"path": "c"}, "reference": "ref", "find": find},
    )
    with pytest.raises(Rejected, match="do not carry"):
        rest.find("customer", "ours")


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone(product: Any, status: int) -> None:
    entity = {
        "create": {"path": "c"},
        "update": {"path": "c/{id}"},
        "delete": {"path": "c/{id}"},
        "fetch": {"path": "c/{id}"},
    }
    rest, _ = product(lambda request, count: JSONResponse({}, status), entity)
    assert isinstance(write(rest, action="update", target_id="1", before={}), Conflict)
    assert isinstance(write(rest, action="delete", target_id="1", policy="delete"), Delivered)
    assert [row.action for row in rest.fetch("customer", ["1"])] == ["delete"]


def test_a_list_that_is_not_there_is_never_an_empty_one(product: Any) -> None:
    listed = {"path": "c", "records": "data"}
    entity = {
        "create": {"path": "c"}, "reference": "ref",
        "find": {**listed, "query": {"ref": "{reference}"}}, "fetch": {**listed, "query": {"ids": "{ids}"}},
    }  # fmt: skip
    rest, _ = product(lambda request, count: JSONResponse({}, 404), entity)
    with pytest.raises(Rejected):
        rest.find("customer", "ours")  # else every order would be made twice
    with pytest.raises(Rejected):
        rest.fetch("customer", ["1"])  # else every record would be deleted


def test_a_page_of_a_gateway_is_no_deletion(product: Any) -> None:
    page = Response("<html>Down for maintenance</html>", media_type="text/html")
    rest, _ = product(lambda request, count: page, {"create": {"path": "c"}, "delete": {"path": "c/{id}"}})
    assert isinstance(write(rest, action="delete", target_id="1", policy="delete"), OutcomeUnknown)


def test_a_policy_sets_what_it_declares_and_another_is_refused(product: Any) -> None:
    entity = {"create": {"path": "c"}, "update": {"path": "c/{id}"}, "policies": {"block": {"state": "blocked"}}}
    rest, script = product(lambda request, count: {"id": 1}, entity)
    assert isinstance(write(rest, action="delete", target_id="1", policy="block", before={}), Delivered)
    assert script.seen[0][3] == {"state": "blocked"}
    assert isinstance(write(rest, action="delete", target_id="1", policy="close"), Rejected)
    assert isinstance(write(rest, action="delete", target_id="1", policy="ignore"), Delivered)
    assert len(script.seen) == 1


@pytest.mark.parametrize(("whole", "policy"), [(False, "block"), (True, "block"), (False, "reject_lines")])
def test_a_record_that_is_blocked_keeps_its_fields_and_its_lines(product: Any, whole: bool, policy: str) -> None:
    entity = {
        "create": {"path": "c"},
        "update": {"path": "c/{id}", **({"method": "PUT", "body": "whole"} if whole else {})},
        "policies": {"block": {"state": "blocked"}, "reject_lines": {"state": "closed"}},
        "lines": {"under": "rows", "key": "no", "reference": "ref", "cancel": {"state": "cancelled"}},
    }
    rest, script = product(lambda request, count: {"id": 1, "rows": []}, entity)
    held: dict[str, Any] = {"name": "Acme"}
    lines = (LineWrite("cancel", "a", "4", {"q": 1}, None),)  # as the engine tells the end of a whole document
    done = write(
        rest, action="delete", target_id="1", policy=policy, before=held, after=held, changed=held, lines=lines
    )
    assert isinstance(done, Delivered)
    sent = script.seen[0][3]
    if policy == "reject_lines":
        assert sent == {"state": "closed", "rows": [{"state": "cancelled", "ref": "a", "no": "4"}]}
    elif whole:
        assert sent == {"name": "Acme", "state": "blocked", "rows": [{"q": 1, "ref": "a", "no": "4"}]}
    else:
        assert sent == {"state": "blocked"}


def test_upsert_is_one_record_by_our_reference() -> None:
    api = RestSandbox(Manners(key="k" * 12), clock=Clock(AT, frozen=True))
    with serve(api.app) as server:
        raw = {
            "url": f"{server.url}/v1",
            "headers": {"X-Api-Key": "k" * 12},
            "entities": {
                "customer": {"reference": "external_ref", "upsert": {"path": "customers/by-reference/{reference}"}}
            },
        }
        rest = connect(raw)
        assert (rest.entity("customer").create, rest.entity("customer").update) == ("B", "B")
        first, again = write(rest), write(rest)
        assert (first.created, again.created) == (True, False)
        assert first.target_id == again.target_id == str(api.store.all("customers")[0]["id"])
        found = rest.find("customer", "ref/1")
        assert found is not None
        assert found.target_id == first.target_id
        assert rest.find("customer", "ref/2") is None


def test_lines_are_sent_whole_and_a_cancelled_one_as_declared(product: Any) -> None:
    entity = {
        "create": {"path": "c"}, "update": {"path": "c/{id}"},
        "lines": {"under": "rows", "key": "no", "reference": "ref", "cancel": {"state": "cancelled"}},
    }  # fmt: skip
    rest, script = product(lambda request, count: {"id": 1, "rows": [{"no": "5", "ref": "b"}]}, entity)
    lines = (
        LineWrite("keep", "a", "4", {"q": 1}, {"q": 1}),
        LineWrite("insert", "b", None, None, {"q": 2}),
        LineWrite("cancel", "c", "6", {"q": 3}, None),
    )
    outcome = write(rest, action="update", target_id="1", before={"name": "Acme"}, changed={}, lines=lines)
    assert outcome.lines == {"b": "5"}
    rows = [{"q": 1, "ref": "a", "no": "4"}, {"q": 2, "ref": "b"}, {"state": "cancelled", "ref": "c", "no": "6"}]
    assert script.seen[0][3] == {"rows": rows}


# --- the declaration


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "neither read nor written"),
    ({"read": {"path": "c", "records": "a..b"}}, "no path"),
    ({"read": {"path": "c", "records": "../a"}}, "no path"),
    ({"read": {"path": "c/{id}"}}, "{id} is not known"),
    ({"read": {"path": "c", "paging": {"type": "pages"}}}, "pages"),
    ({"read": {"path": "c", "paging": {"type": "cursor"}}}, "give either `next`"),
    ({"read": {"path": "c", "changes": {"query": {"a": "x"}}}, "stamp": "at"}, "holds {since}"),
    ({"read": {"path": "c", "changes": {"query": {"a": "{since}"}}}}, "needs `stamp`"),
    ({"read": {"path": "c", "body": {"a": 1}}}, "GET has no body"),
    ({"create": {"path": "c"}, "upsert": {"path": "c/{reference}"}}, "either `create` or `upsert`"),
    ({"upsert": {"path": "c"}}, "`upsert` needs `reference`"),
    ({"create": {"path": "c/{id}"}}, "{id} is not known"),
    ({"create": {"path": "c"}, "find": {"path": "c"}, "reference": "r"}, "holds {reference}"),
    ({"create": {"path": "c"}, "reference": "a[0]"}, "cannot be written"),
    ({"create": {"path": "c"}, "lines": {}}, "lines.reference"),
    ({"fetch": {"path": "c?x={ids}"}, "read": {"path": "c"}}, "say `records`"),
    ({"read": {"path": "c"}, "stamp": {"path": "a", "zone": "Berlin"}}, "no time zone"),
    ({"create": {"path": "c"}, "errors": {"outcomes": {"X": "retry"}}}, "unavailable"),
]


@pytest.mark.parametrize(("entity", "says"), WRONG)
def test_a_declaration_that_cannot_work_is_refused(entity: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RestConfig.model_validate({"url": "https://x.example", "entities": {"customer": entity}})
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("entity", "grade"),
    [
        ({"create": {"path": "c", "idempotency": "K"}}, "A"),
        ({"upsert": {"path": "c/{reference}"}}, "B"),
        ({"create": {"path": "c"}, "reference": "r", "find": {"path": "c/{reference}"}}, "C"),
        ({"create": {"path": "c"}}, "D"),
        ({"read": {"path": "c"}}, None),
    ],
)
def test_grades_follow_from_the_declaration(entity: dict[str, Any], grade: str | None) -> None:
    declared = Rest.declared({"url": "env:NOT_SET", "entities": {"customer": entity}})
    assert declared["customer"].create == grade


def test_fields_by_declaration_and_by_sample(product: Any) -> None:
    entity = {"read": {"path": "c"}, "fields": {"name": {"length": 80, "required": True}, "id": {"readonly": True}}}
    rest, _ = product(lambda request, count: [], entity)
    fields = rest.describe("customer").fields
    assert (fields["name"].length, fields["name"].required, fields["id"].creatable) == (80, True, False)
    sample = [{"a": 1, "b": None, "c": {"d": "2026-01-01"}}, {"a": 1.5, "b": True, "e": [{"f": "x"}]}]
    rest, _ = product(
        lambda request, count: [{"id": n, **each} for n, each in enumerate(sample)], {"read": {"path": "c"}}
    )
    fields = rest.describe("customer").fields
    kinds = {name: each.type for name, each in fields.items()}
    assert kinds == {
        "id": "integer", "a": "decimal", "b": "boolean", "c": "mapping", "c.d": "date", "e": "array", "e.f": "string",
    }  # fmt: skip
