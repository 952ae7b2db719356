"""Real time, measured: webhook to durable answer, webhook to effect, recovery after SIGKILL; the bare path beside it.

Every part is a process of its own on loopback: the endpoint, a worker (or the loop as Airflow hosts it), the target
and the sender. Requests are signed (Standard Webhooks) and made before the clock runs. Latency counts from the moment a
request was due, not from when it was sent. Paths take turns of a second or two, so that a busy machine is as busy for
each. A figure is the median over the turns of each turn's own; beside each turn stands what its fsync cost on the
store's disk, and how much of the machine others took while nothing of ours ran.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from _realtime_parts import command, part
from _realtime_sender import arrivals, flood, paced, requests

GOALS = {
    "accept_per_s": "at least 2000",
    "accept_p99_ms": "under 50, at 500/s",
    "effect_p50_ms": "under 15, at 100/s",
    "effect_p99_ms": "under 100, at 100/s",
    "lane_p50_ms": "under 80, at 100/s",
    "recovery_s": "under 5",
    "bare_p50_ms": "receive and POST on, nothing verified, nothing kept",
}
FLOOD = 4_000
SLICES = 3
"""How often the paths take turns within a turn."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def effect(at: Any, erp: Any, name: str, *, seconds: float, per_s: float = 100) -> list[float]:
    """Milliseconds from a webhook that was due to its record at the target."""
    asked = requests(int(seconds * per_s), name)
    due, _ = asyncio.run(paced(at.port, asked, per_s))
    came = arrivals(erp.port, len(asked))
    return [(came[key] - at_) * 1000 for key, at_ in due.items()]


def recovery(at: Any, erp: Any, url: str, name: str) -> float:
    """Seconds from the SIGKILL of the only worker to the next effect, with half a second before it is started again."""
    asked = requests(600, name)
    with part("worker", url, erp.url) as first:

        async def load() -> float:
            sending = asyncio.ensure_future(paced(at.port, asked, 60))
            await asyncio.sleep(2.0)
            first.popen.kill()
            killed = time.monotonic()
            await asyncio.sleep(0.5)
            second = subprocess.Popen(command("worker", url, erp.url, "worker"), stdout=subprocess.DEVNULL)
            try:
                await sending
                came = await asyncio.to_thread(arrivals, erp.port, len(asked))
            finally:
                second.terminate()
                second.wait(30)
            return min(when for when in came.values() if when > killed + 0.02) - killed

        return asyncio.run(load())


class Turn:
    """What one turn found: latencies by path, and figures that are one number."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self.found: dict[str, list[float]] = {}
        self.others: list[float] = []

    def add(self, path: str, spent: Sequence[float]) -> None:
        """More milliseconds of a path."""
        self.spent.setdefault(path, []).extend(spent)

    def figures(self) -> dict[str, float]:
        """The turn's own figures."""
        return {
            "accept_per_s": statistics.median(self.found["flood"]),
            "accept_p99_ms": percentile(self.spent["accept"], 0.99),
            "effect_p50_ms": percentile(self.spent["worker"], 0.5),
            "effect_p99_ms": percentile(self.spent["worker"], 0.99),
            "lane_p50_ms": percentile(self.spent["airflow"], 0.5),
            "recovery_s": self.found["recovery"][0],
            "bare_p50_ms": percentile(self.spent["bare"], 0.5),
            "bare_p99_ms": percentile(self.spent["bare"], 0.99),
            "bare_per_s": statistics.median(self.found["bare"]),
            "bare_accept_p99_ms": percentile(self.spent["bare_accept"], 0.99),
        }


def turn(number: int, urls: dict[str, str], seconds: float) -> Turn:
    """Every path once, slice by slice, each slice in another order."""
    made = Turn()
    with ExitStack() as stack:
        erp = stack.enter_context(part("target"))
        doors = {host: stack.enter_context(part("serve", urls[host], erp.url, host)) for host in ("worker", "airflow")}
        doors["bare"] = stack.enter_context(part("bare", at=erp.url))
        for host in ("worker", "airflow"):
            stack.enter_context(part("worker", urls[host], erp.url, host))
        door = stack.enter_context(part("serve", urls["accept"], erp.url))

        def accept(name: str) -> None:
            made.found.setdefault("flood", []).append(asyncio.run(flood(door.port, requests(FLOOD, f"{name}-f"), 96)))
            asked = requests(int(500 * seconds / SLICES), f"{name}-p")
            made.add("accept", asyncio.run(paced(door.port, asked, 500))[1])

        def bare_accept(name: str) -> None:
            at = doors["bare"].port
            made.found.setdefault("bare", []).append(asyncio.run(flood(at, requests(FLOOD // 2, f"{name}-f"), 96)))
            asked = requests(int(500 * seconds / SLICES), f"{name}-p")
            made.add("bare_accept", asyncio.run(paced(at, asked, 500))[1])
            arrivals(erp.port, FLOOD // 2 + len(asked))

        def path(host: str) -> Callable[[str], None]:
            return lambda name: made.add(host, effect(doors[host], erp, name, seconds=seconds / SLICES))

        for host, at in doors.items():  # connections are open, statements prepared, caches filled
            effect(at, erp, f"warm-{host}-{number}", seconds=1.0)
        asyncio.run(flood(door.port, requests(500, f"warm-accept-{number}"), 64))
        paths = {"accept": accept, "bare_accept": bare_accept} | {host: path(host) for host in doors}
        for piece in range(SLICES):
            names = list(paths)
            for name in names[piece:] + names[:piece]:
                made.others.append(taken_by_others())
                paths[name](f"{name}-{number}-{piece}")
    with part("target") as erp, part("serve", urls["worker"], erp.url) as at:
        made.found["recovery"] = [recovery(at, erp, urls["worker"], f"killed-{number}")]
    return made


def taken_by_others(seconds: float = 0.2) -> float:
    """The share of the machine that is busy while nothing of ours runs."""

    def read() -> tuple[int, int]:
        times = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(times), times[3] + times[4]

    before = read()
    time.sleep(seconds)
    after = read()
    return 1 - (after[1] - before[1]) / max(1, after[0] - before[0])


def fsync(folder: Path) -> float:
    """Milliseconds of one fsync of a page on the store's disk, median of 50."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        spent = []
        for _ in range(50):
            file.write(b"x" * 8192)
            before = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            spent.append(time.perf_counter() - before)
    return statistics.median(spent) * 1000


def measure(*, turns: int, seconds: float) -> list[dict[str, float]]:
    """The figures of every turn."""
    from landbridge.store import Store, migrate
    from landbridge.store.embedded import EmbeddedPostgres
    from landbridge.time import SystemClock

    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "postgres", die_with_parent=True)
    all_ = []
    try:
        server.start()
        urls = {name: server.ensure_database(f"bench_{name}") for name in ("accept", "worker", "airflow")}
        for url in urls.values():
            store = Store(url, SystemClock())
            migrate(store.engine, store.clock.now())
            store.close()
        for number in range(turns):
            made = turn(number, urls, seconds)
            all_.append(made.figures())
            shown = ", ".join(f"{name} {value:.2f}" for name, value in all_[-1].items())
            others = statistics.median(made.others)
            print(
                f"turn {number + 1}: fsync {fsync(folder):.2f} ms, others took {others:.0%} of the machine "
                f"({max(made.others):.0%} at most), load {os.getloadavg()[0]:.1f}: {shown}",
                flush=True,
            )
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return all_


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each path in each round")
    options = parser.parse_args()
    turns = measure(turns=options.rounds, seconds=options.seconds)
    median = {name: statistics.median(one[name] for one in turns) for name in turns[0]}
    figures = {name: round(median[name], 2 if name.endswith("_s") and name != "accept_per_s" else 1) for name in GOALS}
    figures["accept_per_s"] = round(median["accept_per_s"])
    figures["recovery_s"] = round(max(one["recovery_s"] for one in turns), 2)
    for name, goal in GOALS.items():
        each = ", ".join(f"{one[name]:.1f}" for one in turns)
        print(f"{name}: {figures[name]} ({goal}); each turn: {each}")
    print(f"effect, times the bare path: {median['effect_p50_ms'] / median['bare_p50_ms']:.1f} at the median")
    print(
        f"accept, of the bare path's {median['bare_per_s']:.0f}/s: {median['accept_per_s'] / median['bare_per_s']:.0%}"
    )
    print(f"accept at 500/s, p99 of the bare path: {median['bare_accept_p99_ms']:.1f} ms")
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
