"""Training without labels: how strangers agree is counted, how matches do is learned by Splink on DuckDB."""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING, Any

from landbridge.errors import ConfigError, Problem
from mdm.bulk._codes import Columns
from mdm.bulk._duckdb import Connection, connected, put_records
from mdm.bulk._linker import linker_over, quiet, settings_with
from mdm.bulk._pairs import Candidates
from mdm.bulk._table import check_table
from mdm.bulk._told import Room
from mdm.bulk._weigh import Weights, compared, shares
from mdm.declaration import Block, Declaration
from mdm.score import Frequencies, Model, blocks_of, comparison_settings, held, many_columns

if TYPE_CHECKING:
    import pyarrow as pa

RANDOM_PAIRS = 1_000_000
SESSIONS = 5
FEWEST_PAIRS = 20
"""A block with fewer pairs teaches nothing."""
SESSION_PAIRS = 200_000
SAMPLED_PAIRS = 400_000
ROUNDS = 2
LEAST_M, MOST_M = 0.005, 0.995
"""No one column says more than 8 bits against a match: real records hold surprises that no sample showed."""


def train(declaration: Declaration, table: pa.Table, *, seed: int = 1, room: Room | None = None) -> Model:
    """A model of the records of a table; the same table, declaration and seed give the same model."""
    import orjson

    check_table(declaration, table)
    comparisons = comparison_settings(declaration)
    if table.num_rows < 2:
        what, hint = "a model needs records to learn from.", "Load a source first, or take over a model that was kept."
        raise ConfigError([Problem(f"config/mdm/{declaration.entity}.yaml", 0, 0, what, hint)])
    room, columns = room or Room(), Columns(declaration, table)
    candidates = Candidates(declaration, columns)
    learned_in = sessions(declaration, candidates.by_rule)
    with connected(room) as connection, quiet():
        put_records(connection, table.select(_needed(declaration, learned_in)))
        given = strangers(declaration, columns, seed, room.threads)
        learned = _estimate(connection, comparisons, given, [join_of(block) for block in learned_in], table.num_rows)
    frequencies = {c.column: _frequencies(columns, c.column) for c in declaration.comparisons if c.frequency}
    settings = _settle(declaration, columns, candidates, learned, frequencies, room.threads)
    text = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()
    return Model(declaration.entity, text, frequencies, table.num_rows)


def _needed(declaration: Declaration, learned_in: list[Block]) -> list[str]:
    """The columns that are compared or that a session blocks on."""
    return list(
        dict.fromkeys(
            [one.column for one in declaration.comparisons] + [name for b in learned_in for name, _ in b.parts]
        )
    )


def _frequencies(columns: Columns, name: str) -> Frequencies:
    """The share of every value that occurs more than once; the others share the floor."""
    import numpy as np
    import pyarrow as pa

    column = columns[name]
    held_by = np.bincount(column.codes[column.codes >= 0], minlength=len(column))
    total, often = max(int(held_by.sum()), 1), held_by > 1
    values = column.dictionary.filter(pa.array(often)).to_pylist()
    return Frequencies(1 / total, dict(zip(values, (held_by[often] / total).tolist(), strict=True)))


def strangers(declaration: Declaration, columns: Columns, seed: int, threads: int) -> dict[str, list[float]]:
    """How often records at random agree: per comparison the share of every level, from the first on, different last."""
    import numpy as np

    size, chance = columns.size, np.random.default_rng(seed)
    if size * (size - 1) // 2 <= RANDOM_PAIRS:
        a, b = np.triu_indices(size, 1)
    else:
        a, b = chance.integers(0, size, RANDOM_PAIRS), chance.integers(0, size - 1, RANDOM_PAIRS)
        b += b >= a
    found = {}
    for one, levels in zip(declaration.comparisons, compared(declaration, columns, a, b, threads), strict=True):
        counts = np.bincount(levels + 1, minlength=len(one.levels) + 2)[1:][::-1]
        found[one.column] = (counts / max(int(counts.sum()), 1)).tolist()
    return found


def _estimate(
    connection: Connection,
    comparisons: list[dict[str, Any]],
    given: dict[str, list[float]],
    learned_in: list[str],
    records: int,
) -> list[dict[str, Any]]:
    """What Splink learns of matches: m by expectation maximisation over several blocks, with the u that is given."""
    settings = [_plain(one, given[one["output_column_name"]]) for one in comparisons]
    linker = linker_over(connection, settings_with(settings, 1 / records))
    for rule in learned_in:
        before = linker._settings_obj.core_model_settings.copy()
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=True, max_pairs=SESSION_PAIRS, record_sample_proportion=0.1
            )
        except Exception as error:  # Splink raises its own and bare errors where a block holds no pair
            if not _no_pairs(error):
                raise
            linker._settings_obj.core_model_settings = before  # a session that fails leaves only what it learns
    told = linker.misc.save_model_to_json()["comparisons"]
    learned = {one["output_column_name"]: one["comparison_levels"] for one in told}
    return [_told(one, learned[one["output_column_name"]], given[one["output_column_name"]]) for one in comparisons]


_RARITY = ("tf_adjustment_column", "tf_adjustment_weight")
_UNSEEN = 1e-6
"""What Splink takes for a level that no stranger was seen to have."""


def _plain(comparison: dict[str, Any], given: list[float]) -> dict[str, Any]:
    """A comparison as it is learned: with u, without frequencies, of which Splink would count every value again."""
    shares, levels = iter(given), []
    for one in comparison["comparison_levels"]:
        level = {k: v for k, v in one.items() if k not in _RARITY}
        if not one.get("is_null_level"):
            seen = next(shares)
            level = {"u_probability": seen or _UNSEEN, **level, "fix_u_probability": True}
        levels.append(level)
    return {**comparison, "comparison_levels": levels}


def _told(comparison: dict[str, Any], learned: list[dict[str, Any]], given: list[float]) -> dict[str, Any]:
    """A comparison as it was declared, with what was learned of it, and what was seen of strangers."""
    shares, levels = iter(given), []
    for one, known in zip(comparison["comparison_levels"], learned, strict=True):
        level = dict(one)
        if not one.get("is_null_level"):
            if seen := next(shares):
                level.setdefault("u_probability", seen)
            if "m_probability" in known:
                level["m_probability"] = known["m_probability"]
        levels.append(level)
    return {**comparison, "comparison_levels": levels}


def _no_pairs(error: Exception) -> bool:
    text = str(error).lower()  # the last: a level that no match of this block has, so that its share underflows
    return type(error).__name__ == "EMTrainingException" or "no record pairs" in text or "minimum allowed" in text


def sessions(declaration: Declaration, pairs: list[int]) -> list[Block]:
    """Blocks to learn m in: each leaves the columns it blocks on unlearned, so together they cover every column."""
    many = many_columns(declaration)
    names = [one.column for one in declaration.comparisons]
    usable = [  # a block on all that is compared would leave nothing to learn
        block
        for rule, block in enumerate(blocks_of(declaration))
        if pairs[rule] >= FEWEST_PAIRS
        and not any(column in many for column, _ in block.parts)
        and not set(names) <= dict(block.parts).keys()
    ]
    chosen: list[Block] = []
    covered = dict.fromkeys(names, 0)
    while usable and len(chosen) < SESSIONS:
        best = max(usable, key=lambda block: sum(1 / (1 + covered[c]) for c in names if c not in dict(block.parts)))
        usable.remove(best)
        chosen.append(best)
        for column in names:
            covered[column] += column not in dict(best.parts)
    return chosen


def join_of(block: Block) -> str:
    """A block as the condition of a join."""
    return " and ".join(
        f"l.{held(column)} = r.{held(column)}"
        if length is None
        else f"substr(l.{held(column)}, 1, {int(length)}) = substr(r.{held(column)}, 1, {int(length)})"
        for column, length in block.parts
    )


def _settle(
    declaration: Declaration,
    columns: Columns,
    candidates: Candidates,
    learned: list[dict[str, Any]],
    frequencies: dict[str, Frequencies],
    threads: int,
) -> dict[str, Any]:
    """The prior that agrees with the model's own verdict on the candidates, and u without the matches in its sample.

    Random pairs hold matches too (one in ten thousand where every record has a twin among ten thousand): for an
    identifier they are all the agreement that sampling sees. So what the matches explain is taken off u.
    """
    records = columns.size
    pairs = records * (records - 1) / 2
    sampled = min(float(RANDOM_PAIRS), pairs)
    distinct = {c.column: len(columns[c.column]) for c in declaration.comparisons}
    unique = {c.column: c.unique for c in declaration.comparisons}
    parts = max(1, ceil(candidates.most / SAMPLED_PAIRS))
    a, b = candidates.pairs(0, parts)
    levels = compared(declaration, columns, a, b, threads)
    known = {name: shares(columns[name], one) for name, one in frequencies.items()}
    prior = 1 / records
    settings = settings_with(_filled(learned, distinct, unique, sampled, prior), prior)
    for _ in range(ROUNDS):
        weights = Weights(settings, known)
        prior = _prior(weights.of(declaration, columns, a, levels) - weights.prior, parts, pairs)
        settings = settings_with(_filled(learned, distinct, unique, sampled, prior), prior)
    return settings


def _prior(evidence: Any, parts: int, pairs: float) -> float:
    """The fixed point of: the prior is the expected share of matches that it leads to."""
    import numpy as np

    prior = min(0.05, 1 / pairs**0.5)
    for _ in range(60):
        odds = np.clip(evidence + log2(prior / (1 - prior)), -100, 100)
        expected = float(np.sum(1 / (1 + np.exp2(-odds)))) * parts
        prior = min(0.05, max(expected, 0.5) / pairs)
    return _steady(prior)


def _filled(
    learned: list[dict[str, Any]],
    distinct: dict[str, int],
    unique: dict[str, float | None],
    sampled: float,
    prior: float,
) -> list[dict[str, Any]]:
    """Every level with its m and u: what was not seen gets the least that could not have been seen."""
    return [
        {**one, "comparison_levels": _levels(one, distinct[name], unique[name], sampled, prior)}
        for one in learned
        for name in (one["output_column_name"],)
    ]


def _levels(
    one: dict[str, Any], distinct: int, unique: float | None, sampled: float, prior: float
) -> list[dict[str, Any]]:
    column, unseen = held(one["output_column_name"]), 0.5 / sampled
    levels = [level for level in one["comparison_levels"] if not level.get("is_null_level")]
    chances = _chances([_number(level.get("m_probability")) for level in levels])
    kept = [dict(level) for level in one["comparison_levels"] if level.get("is_null_level")]
    spent, bits = 0.0, float("inf")
    for level, m in zip(levels, chances, strict=True):
        seen = _number(level.get("u_probability"))
        least = 1 / max(distinct, 1) if level["sql_condition"] == f"{column}_l = {column}_r" else unseen
        if unique is not None and level.get("fix_u_probability"):
            u = unique
        elif level is levels[-1]:
            u = max(seen or 0.0, 1 - spent, m)  # disagreement proves nothing
        elif seen is None:  # no stranger was seen to agree so: it proves no more than the level above
            u = max(least, m / 2**bits)
        else:
            u = max((seen - prior * m) / (1 - prior), least)
        u = min(u, m if level is levels[0] else 1.0)  # nor does equality speak against a match
        spent, bits = spent + u, log2(m / u)
        kept.append({**level, "m_probability": _steady(m), "u_probability": _steady(u), "fix_u_probability": False})
    return kept


def _steady(chance: float) -> float:
    """A number without its last digits, which depend on the order in which threads add up."""
    return float(f"{chance:.10g}")


def _number(told: Any) -> float | None:
    """What was learned; Splink says in words what was not."""
    return float(told) if isinstance(told, int | float) else None


def _chances(learned: list[float | None]) -> list[float]:
    """The m of every level: what was not learned shares what is left, and agreement is usual where nothing was."""
    known = [m for m in learned if m is not None]
    if not known:
        return [0.9] + [0.1 / (len(learned) - 1)] * (len(learned) - 1)
    spare = (1 - sum(known)) / max(1, len(learned) - len(known))
    return [min(MOST_M, max(LEAST_M, spare if m is None else m)) for m in learned]
