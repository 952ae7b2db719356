"""A worker process dies at every durable step in turn; whatever the step, each effect stands once and in order."""

from __future__ import annotations

import pytest
from crash_points import every_point, patient


def test_a_worker_process_may_die_at_every_durable_step(enter, seed):
    """Grade C, which has no key to help it."""
    last, whole = every_point(patient(enter("C")))
    assert whole and last > 60, f"seed {seed}: {last}"


@pytest.mark.parametrize("grade", ["A", "B"])
def test_targets_with_a_key_or_an_upsert(enter, grade, seed):
    """Every step for these grades too."""
    last, whole = every_point(patient(enter(grade)))
    assert whole and last > 60, f"seed {seed}: {last}"
