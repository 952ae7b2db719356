"""A line that is slow, broken, sliced or half closed does no harm."""

from __future__ import annotations

import random

import pytest
from network import over_a_bad_line
from toxics import TOXICS


@pytest.mark.parametrize("grade", ["A", "B", "C"])
def test_a_spoiled_line_does_no_harm(enter, grade, seed):
    """Each grade meets the toxics that break lines and one of the others; all of them are in `make faults`."""
    room = enter(grade)
    for toxic in ("limit", random.Random(f"{seed} {grade}").choice(TOXICS)):
        over_a_bad_line(room, 12, toxic, 3).held(f"{toxic}, grade {grade}, seed {seed}")
