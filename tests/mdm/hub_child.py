"""A process that tells the hub a history and may be killed at any instant: python hub_child.py URL SEED ORDER."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hub_bench import customers
from hub_chaos import history

from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.hub import Hub


def main() -> None:
    """Tell all of it in an order of its own, in small transactions."""
    url, seed, order = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    changes = history(random.Random(seed)).changes
    chance = random.Random(order)
    chance.shuffle(changes)
    store = Store(url, SystemClock())
    hub = Hub({"customer": customers()}, SystemClock())
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    while changes:
        batch = [changes.pop() for _ in range(min(len(changes), chance.randint(1, 4)))]
        with store.transaction("child") as connection:
            hub.take(connection, "customer", batch)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
