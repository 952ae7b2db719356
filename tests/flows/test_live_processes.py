"""Real processes on one store: ended politely, killed, and three of them at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from live_project import Live, live, wrongs


@pytest.fixture
def plant(tmp_path: Path, new_database: Callable[..., str]) -> Iterator[Live]:
    with live(tmp_path, new_database) as made:
        yield made


def held_by(plant: Live) -> int:
    """How many workers hold rows now."""
    with psycopg.connect(plant.store_url) as connection:
        row = connection.execute("select count(distinct holder) from outbox where state = 'claimed'").fetchone()
    assert row is not None
    return int(row[0])


def test_a_worker_that_is_told_to_stop_finishes_what_it_began(plant):
    plant.change(1, parties=400)
    worker = plant.start("worker")
    plant.until(plant.stands)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0, plant.said(worker)
    assert "what was begun is finished" in plant.said(worker)
    stood = len(plant.stands())
    assert 0 < stood < 400, "it should have stopped on the way"
    assert held_by(plant) == 0, "a row was left in its hands"
    time.sleep(0.2)
    assert len(plant.stands()) == stood
    with psycopg.connect(plant.store_url) as connection:
        [(counts,)] = connection.execute("select counts from run where trigger = 'realtime'").fetchall()
    assert counts["created"] == stood, "the last window is recorded too"


def test_what_a_killed_worker_held_is_delivered_within_seconds(plant):
    first = plant.start("worker")
    plant.until(lambda: "Working for" in plant.said(first))
    plant.change(1, parties=1600)
    plant.until(lambda: held_by(plant) == 1)
    second = plant.start("worker")
    plant.until(lambda: "Working for" in plant.said(second))
    plant.until(lambda: held_by(plant) >= 1)
    first.send_signal(signal.SIGKILL)
    left = {f"P{n}" for n in range(1, 1601)} - plant.stands().keys()
    assert left
    took = plant.until(lambda: len(plant.stands()) == 1600)
    assert took < 30, f"{took} s: its lease of two minutes was waited for"
    assert wrongs(plant.journal()) == []
    plant.until(lambda: held_by(plant) == 0)


def test_two_workers_and_the_loop_in_airflow_make_each_effect_once_and_in_order(plant):
    loop = "from pathlib import Path\nfrom landbridge.airflow import host_lane\n"
    loop += f"print(host_lane(Path({str(plant.folder)!r}), seconds=5, host='worker'))"
    workers = [plant.start("worker"), plant.start("worker")]
    lane = plant.start(python=loop)
    plant.until(lambda: all("Working for" in plant.said(one) for one in workers))
    for n in range(1, 31):
        plant.change(n, parties=8)
        time.sleep(0.1)
        if n == 15:
            workers[0].send_signal(signal.SIGKILL)
    plant.until(lambda: set(plant.stands().values()) == {30})
    assert lane.wait(30) == 0, plant.said(lane)
    workers[1].send_signal(signal.SIGTERM)
    assert workers[1].wait(15) == 0
    assert wrongs(plant.journal()) == []
    assert len(plant.stands()) == 8
    assert "'parties'" in plant.said(lane), "it took no part"
