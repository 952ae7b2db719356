"""What is asked for every record is found by an index, however much the hub holds."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from mdm.store import decisions, reading
from mdm.store._decisions import _ABOUT
from mdm.store._reading import _PINNED


@pytest.mark.parametrize("statement", [_PINNED, _ABOUT], ids=["pinned", "about"])
def test_decisions_of_a_record_are_found_by_an_index(store, statement):
    with store.engine.connect() as connection:
        connection.execute(
            text("""
            insert into hub_decision (id, entity, verdict, these, those, actor, reason, at)
            select gen_random_uuid(), 'customer', case when n % 2 = 0 then 'pin' else 'same' end,
                   array[gen_random_uuid()], array[gen_random_uuid()], 'steward', 'a test', now()
            from generate_series(1, 5000) n""")
        )
        connection.execute(text("analyze hub_decision"))
        id_ = connection.execute(text("select these[1] from hub_decision where verdict = 'pin' limit 1")).scalar_one()
        given = {"ids": [id_], "recorded": None}
        names = {name: given[name] for name in given if f":{name}" in statement.text}
        plan = connection.execute(text(f"explain {statement.text}"), names).scalars().all()
        assert any("ix_hub_decision_these" in line for line in plan), plan
        assert not any("Seq Scan" in line for line in plan), plan
        assert len(reading.pinned(connection, [id_])) == len(decisions.about(connection, [id_])) == 1
