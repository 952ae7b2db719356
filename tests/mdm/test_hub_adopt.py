"""A new model takes over: the hub stands as if it had always been the one, and decisions hold."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from hub_bench import Small, Weight, batch, customers, overridden, picture, told
from hub_chaos import history, tell
from test_hub_load import bulk

from landbridge.errors import ConfigError, Invalid
from mdm.declaration import Guard
from mdm.hub import Change, Hub
from mdm.store import bulk as store_bulk


@dataclass(frozen=True)
class Phones(Small):
    """Another model: phones count for much, identifiers for little."""

    model_id: str = "phones"

    def score(self, a, b):
        """The small scorer's weight with other wishes."""
        found = super().score(a, b).weight
        same = a.get("phone") is not None and a.get("phone") == b.get("phone")
        vat = a.get("vat") is not None and a.get("vat") == b.get("vat")
        return Weight(found + (9.0 if same else 0.0) - (18.0 if vat else 0.0))


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_new_model_stands_as_if_it_had_always_been_the_one(store, clock, seed):
    chance = random.Random(seed)
    guard = Guard(members=chance.choice([5, 40]), density=0.3, hot=chance.choice([4, 30]))
    old, story = customers(guard=guard), history(chance)
    tell(chance, store, Hub({"customer": old}, clock), story)
    new = replace(old, scorer=Phones())
    followed: dict = {}
    hub = Hub({"customer": new}, clock, follow=lambda _, moved: followed.update(moved))
    with store.transaction("test") as connection:
        before = picture(connection).groups
        rows = list(store_bulk.contents(connection, "customer"))
        changes = [Change(r.id, r.system, r.scope, r.key, "upsert", clock.now(), 0, r.body or {}) for r in rows]
        with pytest.raises(ConfigError, match="Adopt"):
            hub.take(connection, "customer", [told(1, {"name": "x"})])
        moved = hub.adopt(connection, "customer", *bulk(new, changes))
    with store.transaction("test") as connection:
        found, expected = picture(connection), batch(new, story.changes, story.standing)
        assert found == expected
        assert overridden(connection) == 0
        assert followed == {r: g for r, g in found.groups.items() if before[r] != g}
        assert {one.record for one in moved} == followed.keys()
        more = [told(n, {"name": "Comp1 Ltd", "phone": "+491"}, day=9) for n in range(200, 204)]
        hub.take(connection, "customer", more)
        assert picture(connection) == batch(new, [*story.changes, *more], story.standing)


def test_a_table_of_other_records_is_refused(store, clock):
    hub = Hub({"customer": customers()}, clock)
    with store.engine.connect() as connection, connection.begin() as begun:
        hub.take(connection, "customer", [told(1, {"name": "A"})])
        with pytest.raises(Invalid, match="holds 1 records"):
            hub.adopt(connection, "customer", *bulk(customers(), [told(1, {"name": "A"}), told(2, {"name": "B"})]))
        begun.rollback()
