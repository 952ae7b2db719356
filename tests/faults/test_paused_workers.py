"""A worker that was stopped past its lease and goes on does no harm."""

from __future__ import annotations

import pytest
from pauses import paused_workers


@pytest.mark.parametrize("grade", ["B", "C"])
def test_a_worker_that_comes_back_does_no_harm(enter, grade, seed):
    verdict, pauses = paused_workers(enter(grade), 60, 6)
    assert pauses == 6
    verdict.held(f"grade {grade}, seed {seed}")
