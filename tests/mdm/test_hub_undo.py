"""What is undone never happened; what was stored can be made anew for any time, with the lineage of every attribute."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from hub_bench import ZERO, batch, customers, picture
from hub_chaos import decide_and_undo, history, tell
from sqlalchemy import text

from landbridge.time import EPOCH
from mdm.hub import Hub
from mdm.store import reading
from mdm.survive import told

SEEDS = [int(os.environ["MDM_SEED"])] if "MDM_SEED" in os.environ else range(1, 7)  # a failure names its seed


@pytest.mark.parametrize("seed", SEEDS)
def test_decisions_that_are_undone_leave_no_trace(store, clock, seed):
    chance = random.Random(seed)
    hub, changes = Hub({"customer": customers()}, clock), list(history(chance, 20, undo=0).changes)
    with store.transaction("test") as connection:
        hub.take(connection, "customer", changes)
    for number in range(5):
        changes += decide_and_undo(chance, store, hub, changes, number, [])
        with store.reading() as connection:
            assert picture(connection) == batch(customers(), changes), number
    with store.reading() as connection:
        issued = connection.execute(text("select distinct id from hub_golden")).scalars().all()
        leads = reading.home(connection, issued)
        assert leads.keys() == set(issued)  # every id ever issued leads to one golden record that stands
        standing = reading.stored(connection, set(leads.values()))
        assert all(standing[golden].state != "retired" for golden in leads.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_every_stored_version_is_made_anew_as_of_its_time(store, clock, seed):
    chance = random.Random(100 + seed)
    hub = Hub({"customer": customers()}, clock)
    tell(chance, store, hub, history(chance))
    with store.reading() as connection:
        for golden in connection.execute(text("select distinct id from hub_golden")).scalars().all():
            for one in reading.history(connection, golden):
                found = hub.as_of(connection, "customer", golden, recorded=one.at)
                if one.state == "retired":
                    assert found is None
                    continue
                assert found.stored == one and found.reproduced
                assert found.golden.lineage == one.lineage and found.golden.values == one.values
                lines = {line.attribute: line for line in told(one.values, one.lineage)}
                assert lines.keys() == one.values.keys()
            assert hub.as_of(connection, "customer", golden, recorded=EPOCH) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_valid_times_show_what_sources_said_then_whenever_we_heard_of_it(store, clock, seed):
    chance = random.Random(200 + seed)
    hub, changes = Hub({"customer": customers()}, clock), history(chance).changes
    chance.shuffle(changes)
    with store.transaction("test") as connection:
        for change in changes:
            hub.take(connection, "customer", [change])
        homes = picture(connection).groups
        for day in range(6):
            moment = ZERO + timedelta(days=day)
            until = [change for change in changes if change.stamp <= moment]
            known = {change.record for change in until}
            for golden in set(homes.values()):
                found = hub.as_of(connection, "customer", golden, valid=moment)
                members = {record for record, home in homes.items() if home == golden} & known
                assert (found is None) == (not members)
                versions = [change for change in until if change.record in members]
                if found is not None:
                    alone = batch(customers(), versions, _joined(members))
                    assert found.golden.hash == alone.golden[min(members)][1]


def _joined(members):
    from hub_bench import decision

    numbers = sorted(member.int & 0xFFFF for member in members)
    return [decision(n, "same", [numbers[0]], [n]) for n in numbers[1:]]
