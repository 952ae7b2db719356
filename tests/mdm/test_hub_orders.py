"""The order of arrival, crashes, duplicates and undone decisions cannot be told from the golden records."""

from __future__ import annotations

import os

import pytest
from hub_chaos import noticed

SEEDS = [int(os.environ["MDM_SEED"])] if "MDM_SEED" in os.environ else range(1, 25)  # a failure names its seed


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_gives_what_all_at_once_gives(store, clock, seed):
    assert noticed(seed, store, clock) == []
