"""Candidate pairs: records that share a block key which is not hot, each pair once, a part of them at a time."""

from __future__ import annotations

from dataclasses import dataclass

from mdm.bulk._duckdb import Connection
from mdm.declaration import Declaration
from mdm.score import blocks_of


@dataclass(frozen=True, slots=True)
class HotKey:
    """A block key that too many records share: it finds no candidates, and is reported."""

    rule: int
    columns: tuple[str, ...]
    members: int
    example: int
    """The place of one record that has it."""


def drop_hot_keys(connection: Connection, declaration: Declaration) -> tuple[HotKey, ...]:
    """Take keys of more than `guard.hot` records, and those of one record, out of `block_key`; tell of the hot ones."""
    connection.execute(
        "create or replace table key_size as "
        "select rule, key, count(*)::integer as members, min(record) as example "
        "from block_key group by rule, key having count(*) > 1"
    )
    hot = connection.execute(
        "select rule, members, example from key_size where members > ? order by members desc, rule, example",
        [declaration.guard.hot],
    ).fetchall()
    connection.execute(
        "create or replace table block_key as select k.key, k.record from block_key k "
        "join key_size s on s.rule = k.rule and s.key = k.key where s.members <= ?",
        [declaration.guard.hot],
    )
    blocks = blocks_of(declaration)
    return tuple(
        HotKey(rule, tuple(column for column, _ in blocks[rule].parts), members, example)
        for rule, members, example in hot
    )


def pairs_by_rule(connection: Connection, hot: int) -> dict[int, int]:
    """How many pairs the keys of every rule give; the rules may give the same ones."""
    found = connection.execute(
        "select rule, sum(members::bigint * (members - 1) // 2)::bigint from key_size where members <= ? group by rule",
        [hot],
    ).fetchall()
    return {int(rule): int(pairs) for rule, pairs in found}


def put_pairs(connection: Connection, part: int, parts: int) -> None:
    """The table `pair` of one part of the candidates, as Splink takes blocked pairs; the parts together are all."""
    connection.execute(
        "create or replace table pair as "
        "select distinct '0' as match_key, l.record as join_key_l, r.record as join_key_r "
        "from block_key l join block_key r on l.key = r.key and l.record < r.record where l.record % ? = ?",
        [parts, part],
    )
