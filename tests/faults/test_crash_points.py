"""A worker process dies at every durable step in turn; whatever the step, each effect stands once and in order."""

from __future__ import annotations

import pytest
from crash_points import every_point, patient


@pytest.mark.parametrize("grade", ["A", "B", "C"])
def test_a_worker_process_may_die_at_every_durable_step(enter, grade, capsys, seed):
    last, whole = every_point(patient(enter(grade)))
    with capsys.disabled():
        print(f"\nseed {seed}, grade {grade}: {last - 1} crash points, 10 orders each")
    assert whole and last > 40
