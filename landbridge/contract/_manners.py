"""Manners: limits are honoured and connections given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from landbridge.contract._bench import Bench
from landbridge.contract._kit import Inbox, contract, delivered
from landbridge.errors import Unavailable
from landbridge.net import LocalBudget, Rate, Usage


@contract
def the_rate_limit_is_honoured(bench: Bench) -> None:
    """Requests go out no faster than the budget allows."""

    class Counting(LocalBudget):
        taken = 0

        def acquire(self, n: int = 1) -> None:
            self.taken += n
            super().acquire(n)

    bench.create(2 * bench.page_size)
    budget = Counting(Rate(requests=2, per=1), bench.clock)
    connector = bench.connector(budget=budget)
    before = bench.clock.now()
    Inbox().take(connector, bench.source)
    delivered(connector, bench.write("rate"))
    passed = (bench.clock.now() - before).total_seconds()
    assert budget.taken >= 4
    assert passed >= (budget.taken - 2) / 2 - 0.01, "requests went out faster than the rate"


@contract
def what_the_product_says_of_its_limit_reaches_the_budget(bench: Bench) -> None:
    """Retry-After reaches the budget that all connectors share."""

    class Listening(LocalBudget):
        def learn(self, usage: Usage) -> None:
            heard.append(usage)
            super().learn(usage)

    heard: list[Usage] = []
    connector = bench.connector(budget=Listening(None, bench.clock))
    connector.check()
    bench.fault("read", "429", retry_after=9)
    before = bench.clock.now()
    with pytest.raises(Unavailable):
        list(connector.read(bench.source, None))
    assert any(usage.wait == 9.0 for usage in heard)
    list(connector.read(bench.source, None))
    assert (bench.clock.now() - before).total_seconds() >= 9.0


@contract
def it_closes_its_connections(bench: Bench) -> None:
    """`close` leaves no connection behind."""
    connector = bench.connector()
    connector.check()
    assert open_lines(bench.port()) >= 1
    connector.close()
    assert open_lines(bench.port()) == 0


def open_lines(port: int) -> int:
    """Established connections of this machine to a port, seen from the client's end."""
    wanted, found = f"{port:04X}", 0
    for line in Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, _, remote, state = line.split()[:4]
        found += remote.endswith(f":{wanted}") and state == "01"
    return found
