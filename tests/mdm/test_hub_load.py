"""A first load in bulk gives what taking the same changes one by one gives, and goes on from there."""

from __future__ import annotations

import random
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hub_bench import batch, customers, picture, record, told
from hub_chaos import SYSTEMS, body

from landbridge.errors import Conflict, Invalid
from mdm.declaration import Guard
from mdm.hub import Change, Hub, Matching
from mdm.store import reading


def bulk(matching: Matching, changes: list[Change]) -> tuple[pa.Table, list[SimpleNamespace]]:
    """What bulk matching hands over: the table of features, and edges between its rows in batches."""
    features = [matching.features(matching.declaration, change.body or {}) for change in changes]
    table = pa.Table.from_pylist(features, schema=pa.schema([(n, pa.string()) for n in ("name", "phone", "vat")]))
    holders: dict[int, list[int]] = {}
    for n, one in enumerate(features):
        for key in set(matching.scorer.keys(one)):
            holders.setdefault(key, []).append(n)
    cool = [rows for rows in holders.values() if len(rows) <= matching.declaration.guard.hot]
    pairs = {pair for rows in cool for pair in combinations(rows, 2)}
    weighed = [(a, b, matching.scorer.score(features[a], features[b]).weight) for a, b in sorted(pairs)]
    weighed = [one for one in weighed if one[2] >= matching.declaration.thresholds.review]
    parts = [weighed[::2], weighed[1::2]]
    return table, [
        SimpleNamespace(a=np.array([p[0] for p in part]), b=np.array([p[1] for p in part]),
                        weight=np.array([p[2] for p in part], dtype=float))
        for part in parts if part
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_first_load_gives_what_taking_gives_and_goes_on_from_there(store, clock, seed):
    chance = random.Random(seed)
    guard = Guard(members=chance.choice([6, 40]), density=0.3, hot=chance.choice([5, 30]))
    matching = customers(guard=guard, one_to_one=seed % 4 == 0)
    numbers = chance.sample(range(1, 100), 40)
    changes = []
    for n in numbers:
        found = body(chance, chance.randrange(8))
        if chance.random() < 0.1:
            found["parent"] = {"subject": str(record(chance.choice(numbers)))}
        found["note"] = 'a\tb\\n "quoted"\r\nline'
        changes.append(told(n, found, system=chance.choice(SYSTEMS), day=chance.randrange(5)))
    followed: dict = {}
    hub = Hub({"customer": matching}, clock, follow=lambda _, moved: followed.update(moved))
    with store.transaction("test") as connection:
        loaded = hub.first_load(connection, "customer", changes, *bulk(matching, changes))
    expected = batch(matching, changes)
    with store.transaction("test") as connection:
        found = picture(connection)
        assert found == expected
        assert loaded.records == 40 and loaded.golden == len(expected.golden)
        assert followed == {a: b for a, b in found.groups.items() if a != b}
        assert (loaded.crowds > 0) == bool(expected.crowded)
        seen = {one.golden for one in reading.changes(connection, "customer", 0, 1000)}
        assert seen == found.golden.keys()
        now = hub.as_of(connection, "customer", min(found.golden))
        assert now is not None and now.reproduced
        more = [told(n, body(chance, chance.randrange(8)), day=chance.randrange(9)) for n in range(1, 100, 4)]
        hub.take(connection, "customer", more)
        systems = {change.record: change.system for change in changes}
        same = [c if c.record not in systems else Change(c.record, systems[c.record], *_rest(c)) for c in more]
        assert picture(connection) == batch(matching, [*changes, *same])
        with pytest.raises(Conflict, match="already"):
            hub.first_load(connection, "customer", changes, *bulk(matching, changes))


def _rest(change: Change) -> tuple:
    return (change.scope, change.key, change.action, change.stamp, change.sequence, change.body)


def test_what_does_not_fit_the_table_is_refused(store, clock):
    matching = customers()
    changes = [told(1, {"name": "A"}), told(2, {"name": "B"})]
    hub = Hub({"customer": matching}, clock)
    table, edges = bulk(matching, changes)
    with store.engine.connect() as connection, connection.begin() as begun:
        with pytest.raises(Invalid, match="do not fit"):
            hub.first_load(connection, "customer", changes[:1], table, edges)
        begun.rollback()
    with store.engine.connect() as connection, connection.begin() as begun:
        with pytest.raises(Invalid, match="is a delete"):
            hub.first_load(connection, "customer", [told(1, action="delete"), changes[1]], table, edges)
        begun.rollback()
