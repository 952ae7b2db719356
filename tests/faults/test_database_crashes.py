"""PostgreSQL is killed, or has no room on its disk, while orders flow: nothing is lost or doubled, and it goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from database import NoMount, crashed_databases, filled_disks, small_disk
from workplace import Workplace, workplace


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    with workplace() as found:
        yield found


def test_a_database_that_crashes_does_no_harm_and_the_flow_goes_on(place, seed):
    server = place.server(durable=True)
    with place.room("C", seed, durable=True) as room:
        verdict, resumed = crashed_databases(room, server, 60, 3)
        verdict.held(f"seed {seed}")
    assert max(resumed) < 10, resumed


def test_a_server_is_found_at_its_port_after_a_crash(place):
    server = place.server(durable=True)
    before = server.urls()
    server.stop("immediate")
    assert server.start() == before


def test_a_full_disk_does_no_harm_and_the_flow_goes_on(place, seed):
    try:
        with small_disk(place.home / "disk", 120) as disk:
            server = place.on_disk(disk)
            with place.room("B", seed, server=server) as room:
                filled_disks(room, server, disk, 60, 2).held(f"seed {seed}")
            server.remove()
    except NoMount as reason:
        pytest.skip(f"no small disk can be mounted here: {reason}")
