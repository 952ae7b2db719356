"""The order of arrival, crashes, duplicates and undone decisions cannot be told from the golden records."""

from __future__ import annotations

import os
import random

import pytest
from hub_bench import batch, customers, overridden, picture
from hub_chaos import history, tell

from mdm.declaration import Guard
from mdm.hub import Hub
from mdm.store import reading

SEEDS = [int(os.environ["MDM_SEED"])] if "MDM_SEED" in os.environ else range(1, 25)  # a failure names its seed


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_gives_what_all_at_once_gives(store, clock, seed):
    chance = random.Random(seed)
    guard = Guard(members=chance.choice([3, 6, 40]), density=0.3, hot=chance.choice([4, 30]))
    matching = customers(guard=guard, one_to_one=chance.random() < 0.2)
    told = history(chance)
    tell(chance, store, Hub({"customer": matching}, clock), told)
    with store.reading() as connection:
        found, expected = picture(connection), batch(matching, told.changes, told.standing)
        assert found.groups == expected.groups
        assert found == expected
        assert overridden(connection) == 0
        for change in reading.changes(connection, "customer", 0, 1000):
            assert change.golden in found.golden or found.groups[change.golden] != change.golden
