"""Dead letters that are replayed twice have one effect, whoever dies meanwhile; 1,000 of them in the long form."""

from __future__ import annotations

import pytest
from replays import replayed_twice


@pytest.mark.parametrize("grade", ["A", "C"])
def test_dead_letters_that_are_replayed_twice_have_one_effect(enter, grade):
    found = replayed_twice(enter(grade), 100)
    assert found["dead_letters_replayed"] >= 100
    assert not (found["lost"] or found["duplicated"] or found["unaccounted"]), found
