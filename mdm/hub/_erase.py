"""Erasing records: what they said goes, their place in the order and in the groups' history stays.

An erased record is one that was deleted and says nothing; it stays in its group, by a decision. Versions that were
erased do not come back when they are sent once more; what its system sends later is kept as anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from mdm.hub._arrive import LAST, Arrived, Batch
from mdm.hub._change import Change, Matching, Regrouped
from mdm.hub._take import put
from mdm.store import decisions, erasing, reading, records
from mdm.store._groups import Notice
from mdm.store._records import State

BY = "erasure"
"""Who takes back the pins that stood on an erased record, and says that it belongs where it is."""


def erase(
    connection: Connection, entity: str, matching: Matching, at: datetime, ids: Collection[UUID]
) -> list[Regrouped]:
    """Erase what the hub keeps of these records, and do what follows; who belongs elsewhere now."""
    known = {id_: one for id_, one in records.known(connection, ids).items() if one.entity == entity}
    pins = erasing.pins(connection, known, at, BY)
    batch, versions = Batch(known), []
    for id_, old in known.items():
        new = replace(old, parent=None, features={}, keys=())
        if old.content is not None and not old.deleted:
            new.gone, new.merged_into = (old.content[0], old.content[1], LAST), None
            versions.append(Arrived(_deletion(old), new.gone, b"null"))
        batch.after[id_] = new
        if old.features:
            batch.compared.add(id_)
        if old.merged_into is not None and old.deleted:
            batch.said[id_] = None
    notices = [Notice(kind, id_, None) for id_ in known for kind in ("unidentified", "reused")]
    notices += [Notice("pin_moved", pin, None) for pin in pins]
    erasing.bodies(connection, known, at)
    _stay(connection, entity, at, known)
    values = {id_: one.features or {} for id_, one in known.items()}
    regrouped = put(connection, entity, matching, at, batch, versions, notices)
    erasing.words(connection, known)
    _golden(connection, at, known, pins)
    _counted(connection, entity, matching, values.values())
    return regrouped


def _stay(connection: Connection, entity: str, at: datetime, known: Mapping[UUID, State]) -> None:
    """Decide that these records belong to their groups, which nothing they say tells any more: golden ids stay."""
    for golden in sorted({one.golden for one in known.values() if one.golden is not None}):
        members = reading.members(connection, golden)
        others = [id_ for id_ in members if id_ not in known]
        for id_ in (id_ for id_ in members if id_ in known):
            stays = (others or members)[0]
            if id_ == stays:
                continue
            row = decisions.Row(
                uuid5(id_, f"erased {stays}"), entity, "same", (stays,), (id_,), None, None, None, None, BY, "", at
            )
            decisions.append(connection, row, b"null", [(min(id_, stays), max(id_, stays), "same")])


def _deletion(old: State) -> Change:
    assert old.content is not None
    return Change(old.id, old.system, old.scope, old.key, "delete", old.content[0], old.content[1])


def _golden(connection: Connection, at: datetime, ids: Collection[UUID], pins: Collection[UUID]) -> None:
    """Take out of every earlier golden version what these records and pins gave to it."""
    gone, told = {str(id_) for id_ in ids}, {str(id_) for id_ in pins}
    rewritten = []
    for one in erasing.versions(connection, ids, at):
        touched = {n for n, version in enumerate(one.lineage["versions"]) if version[0] in gone}
        stories = one.lineage["stories"]
        if not touched and not any(story[4] in told for story in stories):
            continue
        lost = {name for story in stories if touched & {*story[1]} or story[4] in told for name in story[0]}
        rewritten.append(
            erasing.Rewritten(
                one.id,
                one.version,
                {name: value for name, value in one.values.items() if name not in lost},
                {**one.lineage, "stories": [[[n for n in s[0] if n not in lost], *s[1:]] for s in stories]},
            )
        )
    erasing.rewrite(connection, rewritten, at)


def _counted(connection: Connection, entity: str, matching: Matching, said: Collection[Mapping[str, Any]]) -> None:
    """Take values that no record holds any more out of the models that counted them, under new ids.

    No weight changes: a value that nobody holds is compared with nothing.
    """
    if matching.declaration.scoring != "fellegi_sunter":
        return
    columns = [one.column for one in matching.declaration.comparisons if one.frequency]
    values = {(column, one[column]) for one in said for column in columns if isinstance(one.get(column), str)}
    counted = [pair for pair in sorted(values) if erasing.counted(connection, entity, *pair)]
    left = erasing.unheld(connection, entity, counted)
    if left:
        _forget(connection, entity, left)


def _forget(connection: Connection, entity: str, values: Sequence[tuple[str, str]]) -> None:
    from mdm.score import Frequencies, Model
    from mdm.store import models

    for kept in erasing.models(connection, entity):
        model = Model.loads(kept.content.encode())
        found = {}
        for column, one in model.frequencies.items():
            mine = {value for name, value in values if name == column}
            shares = {value: share for value, share in one.shares.items() if value not in mine}
            found[column] = Frequencies(one.floor, shares)
        new = replace(model, frequencies=found)
        if new.model_id != kept.id:
            models.keep(connection, kept._replace(id=new.model_id, content=new.dumps().decode()))
            erasing.replace_model(connection, entity, kept.id, new.model_id)
