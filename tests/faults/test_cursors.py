"""A source that changes while it is read tells every record's last state; the long form reads 100,000 changes."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from cursors import REGISTRY, read_while_changed, source
from suite import Inbox
from test_suite_catches import SkipsTies

from connectors.declarative._read import Answer, Reader
from connectors.salesforce._cursor import Window
from connectors.soap._read import Reader as SoapReader
from landbridge.connector import Row
from landbridge.errors import Rejected
from landbridge.time import SystemClock


@pytest.mark.parametrize(
    ("name", "changes"),
    [("salesforce", 2_000), ("sap_s4", 200), ("sql", 60), ("rest", 200), ("odata", 200), ("soap", 200)],
)
def test_whatever_happens_while_it_is_read_the_last_state_arrives(name, changes, tmp_path, postgres, seed):
    with source(REGISTRY[name], tmp_path, postgres) as bench:
        found = read_while_changed(bench, changes, seed)
    assert not found["lost"], found


def test_a_page_that_comes_again_by_chance_does_not_stop_a_feed_for_ever(tmp_path):
    """Found by such dice: records that change within their instant push the others on by just a page."""
    with source(REGISTRY["rest"], tmp_path) as bench:
        bench.create(5 * bench.page_size)  # of one instant
        pages = bench.connector().read(bench.source, None)
        state = {}
        while "mark" not in state:
            state = json.loads(next(pages).cursor)
        back = {**state, "at": state["at"] - bench.page_size, "came": state["came"] - bench.page_size}
        assert list(bench.connector().read(bench.source, json.dumps(back)))


def test_a_cursor_that_looks_never_back_is_seen(monkeypatch, tmp_path, seed):
    whole = Window.begin
    monkeypatch.setattr(Window, "begin", lambda self, newest, now, overlap: whole(self, newest, now, 0))
    with source(REGISTRY["salesforce"], tmp_path) as bench:
        assert read_while_changed(bench, 2_000, seed)["lost"]


def _hidden(name, folder):
    """What is never told when a record leaves an instant that is being counted through, page by page."""
    with source(REGISTRY[name], folder) as bench:
        overlap = bench.connector().entity(bench.source).overlap.total_seconds()
        keys = bench.create(bench.page_size * 4)
        bench.tick(overlap * 3)
        told = set(bench.create(1))  # far behind it, so that no later pass looks there
        inbox = Inbox()
        for number, page in enumerate(bench.connector().read(bench.source, None)):
            inbox.rows += page.rows
            inbox.cursor = page.cursor
            if number == 2:
                bench.change(keys[0], "moved on")
        inbox.take(bench.connector(), bench.source)
        return (told | set(keys)) - {row.key for row in inbox.rows}


@pytest.mark.parametrize("name", ["rest", "odata", "soap"])
def test_what_leaves_an_instant_that_is_counted_through_hides_nothing(name, tmp_path):
    assert not _hidden(name, tmp_path)


@pytest.mark.parametrize("name", ["rest", "odata", "soap"])
def test_counting_through_an_instant_without_a_second_look_is_seen(name, monkeypatch, tmp_path):
    monkeypatch.setattr(Reader, "_moved_before", lambda *_: None)
    monkeypatch.setattr(SoapReader, "_anchored", lambda *_: True)
    assert len(_hidden(name, tmp_path)) == 1


@pytest.mark.parametrize(("link", "stops"), [(False, True), (True, False)])
def test_a_page_that_is_refused_a_second_time_stops_a_feed_that_is_counted(link, stops):
    """Only a link of the service's own may be good for one request; a counted page that is refused is told."""
    asked = []

    class Once:
        what, stamped, ordered, shifts = "once", True, True, True

        def floor(self, instant):
            return instant

        def earliest(self, low):
            return low

        def page(self, low, at, began, came):
            if at is not None and (at, low) in asked:
                raise Rejected("asked for already", hint="")
            asked.append((at, low))
            n = 0 if at is None else at[0] if link else at
            rows = [Row(f"{n}.{k}", {}, stamp="2026-01-01T00:00:00Z") for k in range(2)]
            position = [n + 1] if link else n + 1
            return Answer(rows, [datetime(2026, 1, 1, tzinfo=UTC)] * 2, position if n < 3 else None)

    read = Reader(Once(), SystemClock(), timedelta(minutes=5)).changes(None, None)
    if stops:
        with pytest.raises(Rejected):
            list(read)
    else:
        assert {row.key for page in read for row in page.rows} == {f"{n}.{k}" for n in range(4) for k in range(2)}


def test_a_pass_longer_than_its_overlap_looks_back_to_where_it_began(tmp_path):
    """What is committed late behind a pass that is still being read, and stays long after it."""
    with source(REGISTRY["rest"], tmp_path) as bench:
        overlap = bench.connector().entity(bench.source).overlap.total_seconds()
        bench.create(bench.page_size // 2)
        bench.tick(10)
        bench.create(bench.page_size * 2)
        pages = bench.connector().read(bench.source, None)
        page = next(pages)
        late = bench.late(5)  # behind the page that was read
        told = {row.key for row in page.rows}
        bench.tick(overlap * 3)
        bench.create(1)
        for page in pages:
            told |= {row.key for row in page.rows}
        assert late not in told
        told |= {row.key for one in bench.connector().read(bench.source, page.cursor) for row in one.rows}
        assert late in told


def test_a_cursor_that_goes_on_behind_its_instant_is_seen(tmp_path, seed):
    with source(dataclasses.replace(REGISTRY["salesforce"], connector=SkipsTies), tmp_path) as bench:
        assert any(read_while_changed(bench, 1_000, seed + n)["lost"] for n in range(6))
