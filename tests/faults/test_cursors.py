"""A source that changes while it is read tells every record's last state; the long form reads 100,000 changes."""

from __future__ import annotations

import dataclasses
import json

import pytest
from cursors import REGISTRY, read_while_changed, source
from test_suite_catches import SkipsTies

from connectors.salesforce._cursor import Window


@pytest.mark.parametrize(("name", "changes"), [("salesforce", 2_000), ("sap_s4", 200), ("sql", 60)])
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


def test_a_cursor_that_goes_on_behind_its_instant_is_seen(tmp_path, seed):
    with source(dataclasses.replace(REGISTRY["salesforce"], connector=SkipsTies), tmp_path) as bench:
        assert any(read_while_changed(bench, 1_000, seed + n)["lost"] for n in range(6))
