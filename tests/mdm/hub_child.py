"""A process that tells the hub a history and may be killed at any instant: python hub_child.py URL SEED ORDER."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hub_bench import customers
from hub_chaos import history, tell

from landbridge.store import Store
from landbridge.time import SystemClock
from mdm.declaration import Guard
from mdm.hub import Hub, Matching


def matching_of(seed: int) -> Matching:
    """How a history of this seed is matched: guards of every size, sometimes one record per system."""
    chance = random.Random(seed)
    guard = Guard(members=chance.choice([3, 6, 40]), density=0.3, hot=chance.choice([4, 30]))
    return customers(guard=guard, one_to_one=chance.random() < 0.2)


def live(url: str, seed: int, order: int) -> None:
    """Tell all of the history of a seed, decisions too, in an order of its own and in small transactions."""
    store = Store(url, SystemClock())
    tell(random.Random(order), store, Hub({"customer": matching_of(seed)}, SystemClock()), history(random.Random(seed)))
    store.close()


def main() -> None:
    """Live, and say when it begins and when all is told."""
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    live(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
