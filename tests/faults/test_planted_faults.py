"""The harness sees the classic mistakes, each planted into every worker on purpose."""

from __future__ import annotations

import pytest
from hunts import HUNTS, caught
from room import SIGNS


@pytest.mark.parametrize("fault", sorted(HUNTS))
def test_a_planted_fault_is_caught(enter, fault):
    gave_away = caught(enter, fault)
    assert any(sign in gave_away for sign in SIGNS), f"{fault} was not seen: {gave_away or 'nothing was wrong'}"
