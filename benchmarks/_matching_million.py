"""A first load is trained, matched and clustered; Splink does the same alone, with the same model, in the same run.

Ours runs first, in a process that holds nothing but the table of features: its peak of memory is what counts. Made-up
records are written and normalised by other processes before, which is timed apart.
"""

from __future__ import annotations

import logging
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from _customers import customers
from _hub_room import body, declaration

RECORDS = 1_000_000
WORST = ("million_mb",)


def run(records: int) -> dict[str, Any]:
    """Seconds, memory and quality of our way, and seconds of Splink's own."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        files = _written(records, Path(folder))
        print(f"   made and normalised: {time.perf_counter() - began:.0f} s", flush=True)
        ours = _alone(_ours, files)
        print(f"   ours: {ours}", flush=True)
        theirs = _alone(_splinks, files)
        print(f"   Splink: {theirs}", flush=True)
    return {
        "million_s": ours["seconds"],
        "million_train_s": ours["train"],
        "million_of_splink": round(ours["seconds"] / theirs["seconds"], 3),
        "million_mb": ours["mb"],
        "million_f1": ours["f1"],
        "million_splink_s": theirs["seconds"],
        "million_splink_mb": theirs["mb"],
        "million_splink_f1": theirs["f1"],
    }


def _alone(work: Any, *arguments: Any) -> dict[str, Any]:
    """The work in a fresh process: its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found: dict[str, Any] = pool.apply(work, arguments)
        return found


def _written(records: int, folder: Path) -> list[Path]:
    """The features as files, one per worker, in order."""
    workers = 2
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return pool.starmap(_write, [(records, folder, part, workers) for part in range(workers)])


def _write(records: int, folder: Path, part: int, parts: int) -> Path:
    import pyarrow as pa

    from mdm.bulk import table_of
    from mdm.normalise import Extractor

    declared = declaration()
    extract = Extractor(declared)
    rows = [row for number, row in enumerate(customers(records)) if number * parts // records == part]
    table = table_of(declared, (extract(body(row)) for row in rows))
    table = table.append_column("truth", pa.array([row["truth"] for row in rows], pa.int64()))
    path = folder / f"{part}.arrow"
    with pa.ipc.new_file(str(path), table.schema) as file:
        file.write_table(table)
    return path


def _read(files: list[Path]) -> tuple[Any, Any]:
    """The features, mapped into memory as long as they are read, and the truth."""
    import pyarrow as pa

    tables = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in files]
    table = pa.concat_tables(tables)
    return table.drop_columns(["truth"]), table.column("truth").to_numpy()


def _ours(files: list[Path]) -> dict[str, Any]:
    import numpy as np

    from mdm.bulk import identities, match, train
    from mdm.cluster import partition_bulk

    declared = declaration()
    table, truth = _read(files)
    began = time.perf_counter()
    model = train(declared, table)
    trained = time.perf_counter()
    edges = list(match(declared, model, table))
    a, b, weights = (np.concatenate([getattr(one, name) for one in edges]) for name in ("a", "b", "weight"))
    matched = time.perf_counter()
    found = partition_bulk(
        table.num_rows,
        a.astype(np.int64),
        b.astype(np.int64),
        weights,
        guard=declared.guard,
        auto=declared.thresholds.auto,
        identities=identities(declared, table),
    )
    ended = time.perf_counter()
    print(f"   {len(a)} edges, {len(found.too_big)} crowds", flush=True)
    return {
        "seconds": round(ended - began, 1),
        "train": round(trained - began, 1),
        "match": round(matched - trained, 1),
        "cluster": round(ended - matched, 1),
        "mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "f1": _f1(truth, found.groups),
    }


def _splinks(files: list[Path]) -> dict[str, Any]:
    """Splink as its own tutorial goes: u by sampling, m by the same sessions, predict, connected components."""
    import duckdb
    from splink import DuckDBAPI, Linker

    from mdm.bulk._codes import Columns
    from mdm.bulk._duckdb import add_measures, put_records
    from mdm.bulk._linker import settings_with
    from mdm.bulk._pairs import Candidates
    from mdm.bulk._train import SESSION_PAIRS, join_of, sessions
    from mdm.score import comparison_settings

    logging.getLogger("splink").setLevel(logging.ERROR)
    declared = declaration()
    table, truth = _read(files)
    candidates = Candidates(declared, Columns(declared, table))
    learned_in = [join_of(block) for block in sessions(declared, candidates.by_rule)]  # before the clock runs
    print(f"   {len(candidates.hot)} hot keys, sessions: {learned_in}", flush=True)
    del candidates
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    began = time.perf_counter()
    add_measures(connection)
    put_records(connection, table)
    settings = settings_with(comparison_settings(declared), 1 / table.num_rows)
    settings["blocking_rules_to_generate_predictions"] = _rules(declared)
    linker = Linker(DuckDBAPI(connection=connection).register("record"), settings, log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for session in learned_in:
        linker.training.estimate_parameters_using_expectation_maximisation(
            session, estimate_without_term_frequencies=True, max_pairs=SESSION_PAIRS, record_sample_proportion=0.1
        )
    trained = time.perf_counter()
    predicted = linker.inference.predict(threshold_match_weight=declared.thresholds.review, warning_mode="never")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_weight=declared.thresholds.auto
    )
    ended = time.perf_counter()
    rows = clusters.as_duckdbpyrelation().order("unique_id").to_arrow_table()
    return {
        "seconds": round(ended - began, 1),
        "train": round(trained - began, 1),
        "mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "f1": _f1(truth, rows.column("cluster_id").to_numpy()),
    }


def _rules(declared: Any) -> list[dict[str, Any]]:
    """The declared blocks in Splink's own words."""
    from mdm.bulk._train import join_of
    from mdm.score import blocks_of, held, many_columns

    many = many_columns(declared)
    rules = []
    for block in blocks_of(declared):
        rule: dict[str, Any] = {"blocking_rule": join_of(block), "sql_dialect": "duckdb"}
        if exploded := [held(column) for column, _ in block.parts if column in many]:
            rule["arrays_to_explode"] = exploded
        rules.append(rule)
    return rules


def _f1(truth: Any, groups: Any) -> float:
    """F1 over all pairs that are in one cluster."""
    import numpy as np

    def pairs(*codes: Any) -> int:
        _, sizes = np.unique(np.stack(codes), axis=1, return_counts=True)
        return int((sizes * (sizes - 1) // 2).sum())

    return round(2 * pairs(truth, groups) / (pairs(truth) + pairs(groups)), 5)
