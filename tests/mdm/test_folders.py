"""Folders of strangers: however records and their truth are written down, they are understood without being told."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from landbridge.errors import Invalid
from mdm.evaluate import Asked, Truth, tables, understand

SEED = 20261122
NAMES = [
    "amber",
    "bronze",
    "cedar",
    "cobalt",
    "copper",
    "coral",
    "delta",
    "eagle",
    "ember",
    "falcon",
    "granite",
    "hazel",
]
Rows = Sequence[Sequence[object]]


def companies(count: int = 40) -> tuple[list[list[str]], list[list[str]]]:
    """(name, town) of companies as two systems have them; the n-th of both is one."""
    by = random.Random(SEED)
    one = [[f"{' '.join(by.sample(NAMES, 3))} GmbH", by.choice(("Bremen", "Köln", "Essen"))] for _ in range(count)]
    return one, [[name.upper().replace("E", "", 1), town] for name, town in one]


def write(path: Path, rows: Rows, separator: str = ",", encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(separator.join(map(str, row)) + "\n" for row in rows).encode(encoding))


def known(folder: Path) -> Truth:
    return understand(tables(folder, None), Asked())


def right(truth: Truth, count: int = 40) -> bool:
    """Whether the pairs are the right ones: a record's number is told by its name."""
    names = [companies(count)[0][number][0] for number in range(count)]
    spoiled = [companies(count)[1][number][0] for number in range(count)]
    found = set()
    for a, b in truth.pairs:
        values = {*truth.records[a].values(), *truth.records[b].values()}
        found |= {at for at in range(count) if {names[at], spoiled[at]} <= values}
    return len(found) == len(truth.pairs) == count


def two(
    folder: Path, ids: tuple[Callable[[int], object], Callable[[int], object]], names: tuple[str, str], id_: str = "id"
) -> None:
    one, other = companies()
    rows = [[ids[0](at), *row] for at, row in enumerate(one)]
    write(folder / f"{names[0]}.csv", [[id_, "name", "town"], *rows])
    shuffled = [[ids[1](at), *row] for at, row in enumerate(other)]
    random.Random(1).shuffle(shuffled)
    write(folder / f"{names[1]}.csv", [[id_, "name", "town"], *shuffled])


TRUTHS: dict[str, tuple[str, Callable[[object, object, int], list[object]]]] = {
    "ltable_id,rtable_id": ("gold.csv", lambda a, b, n: [a, b]),
    "_id,ltable_id,rtable_id": ("gold.csv", lambda a, b, n: [n, a, b]),
    "_id,ltable_id,rtable_id,ltable_name,rtable_name,gold": ("labels.csv", lambda a, b, n: [n, a, b, "x", "y", 1]),
    "id1,id2": ("perfectMapping.csv", lambda a, b, n: [a, b]),
    "idLeft,idRight": ("x_y_perfectMapping.csv", lambda a, b, n: [a, b]),
    "D1,D2": ("gt.csv", lambda a, b, n: [a, b]),
    "label,id1,id2": ("all.csv", lambda a, b, n: [1, a, b]),
}


@pytest.mark.parametrize("header", TRUTHS)
@pytest.mark.parametrize(
    "ids",
    [
        (lambda at: f"l{at}", lambda at: f"r{at * 7}"),
        (lambda at: at, lambda at: at),
        (lambda at: 500 + at, lambda at: 900 - at),
        (lambda at: f"conf/x/{at}", lambda at: 10_000 + at),
    ],
    ids=["texts", "equal numbers", "numbers", "both"],
)
def test_pairs_are_found_whatever_their_columns_are_called(tmp_path: Path, header: str, ids: object) -> None:
    first, second = ids  # type: ignore[misc]  # a pair of functions, by parametrize
    two(tmp_path, (first, second), ("tableA", "tableB"))
    name, row = TRUTHS[header]
    write(tmp_path / name, [header.split(","), *(row(first(at), second(at), at) for at in range(40))])
    assert right(known(tmp_path))


def test_the_truths_columns_name_its_files_in_their_own_order(tmp_path: Path) -> None:
    two(tmp_path, (lambda at: at, lambda at: at), ("ACM", "DBLP2"))
    write(tmp_path / "mapping.csv", [["idDBLP", "idACM"], *([at, at] for at in range(40))])
    assert right(known(tmp_path))


def test_labels_that_were_cut_into_parts_are_put_together(tmp_path: Path) -> None:
    two(tmp_path, (lambda at: at, lambda at: at), ("tableA", "tableB"))
    rows = [[at, at, 1] for at in range(40)] + [[at, (at + 1) % 40, 0] for at in range(40)]
    for part, name in enumerate(("train", "valid", "test")):
        write(tmp_path / f"{name}.csv", [["ltable_id", "rtable_id", "label"], *rows[part::3]])
    truth = known(tmp_path)
    assert right(truth)
    assert truth.labelled is not None
    assert len(truth.labelled) == 80


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("whole", [True, False])
def test_rows_are_counted_from_0_or_from_1(tmp_path: Path, base: int, whole: bool) -> None:
    one, other = companies()
    write(tmp_path / "a.csv", [["name", "town"], *one, ["last of them", "Ulm"]])
    write(tmp_path / "b.csv", [["name", "town"], *other[::-1], ["nobody else", "Ulm"]])
    known_of = range(40) if whole else range(5, 35)
    write(tmp_path / "truth.csv", [["a", "b"], *([at + base, 39 - at + base] for at in known_of)])
    truth = known(tmp_path)
    assert {(a, b - 41) for a, b in truth.pairs} == {(at, 39 - at) for at in known_of}
    assert f"the first is {base}." in truth.told[0]


@pytest.mark.parametrize(
    "column", ["cluster_id", "entity_id", "ent_id", "class", "unique_id", "True Id", "group", "gid"]
)
def test_a_column_of_clusters_is_known_by_its_small_groups(tmp_path: Path, column: str) -> None:
    one, other = companies()
    rows = [[*row, at] for at, row in enumerate(one)] + [[*row, at] for at, row in enumerate(other)]
    write(tmp_path / "all.tsv", [["name", "town", column], *rows], "\t")
    truth = known(tmp_path)
    assert right(truth)
    assert column not in truth.header


@pytest.mark.parametrize("files", [1, 2])
def test_ids_that_tell_their_original_are_a_truth(tmp_path: Path, files: int) -> None:
    one, other = companies()
    first = [[f"rec-{at}-org", *row] for at, row in enumerate(one)]
    second = [[f"rec-{at}-dup-0", *row] for at, row in enumerate(other)]
    header = ["rec_id", " name", " town"]
    if files == 1:
        write(tmp_path / "dataset.csv", [header, *first, *second])
    else:
        write(tmp_path / "a.csv", [header, *first])
        write(tmp_path / "b.csv", [header, *second])
    truth = known(tmp_path)
    assert right(truth)
    assert truth.header == ("name", "town")


def test_equal_ids_of_two_files_are_a_truth_only_if_their_records_are_alike(tmp_path: Path) -> None:
    one, other = companies()
    write(tmp_path / "a.csv", [["recid", "name", "town"], *([at, *row] for at, row in enumerate(one))])
    rows = [["recid", "name", "town"], *([at, *row] for at, row in enumerate(other))]
    write(tmp_path / "b.csv", rows)
    truth = known(tmp_path)
    assert right(truth)
    assert "told by the ids in 'recid'" in truth.told[-1]
    write(
        tmp_path / "b.csv",
        [rows[0], *([row[0], *after[1:]] for row, after in zip(rows[1:], rows[2:] + rows[1:2], strict=True))],
    )
    with pytest.raises(Invalid, match="nothing says which records are one"):
        known(tmp_path)


def test_a_file_of_one_column_tells_the_cluster_of_every_row(tmp_path: Path) -> None:
    one, other = companies()
    write(tmp_path / "RLdata.tsv", [["name", "town"], *one, *other], "\t")
    write(tmp_path / "identity.RLdata.tsv", [["identity.RLdata"], *([at] for at in (*range(40), *range(40)))], "\t")
    assert right(known(tmp_path))


def test_files_without_names_of_columns_are_understood(tmp_path: Path) -> None:
    one, other = companies()
    write(tmp_path / "a.csv", [[at, *row] for at, row in enumerate(one)])
    write(tmp_path / "b.csv", [[f"x{at}", *row, 30_000 + at] for at, row in enumerate(other)])
    write(tmp_path / "truth.csv", [[at, f"x{at}"] for at in range(40)])
    truth = known(tmp_path)
    assert len(truth.records) == 80
    assert right(truth)


def test_columns_without_a_name_and_numbers_written_in_two_ways_are_no_obstacle(tmp_path: Path) -> None:
    one, other = companies()
    write(tmp_path / "a.csv", [["", "name", "town"], *([at, *row] for at, row in enumerate(one))])
    write(tmp_path / "b.csv", [["id", "name", "town", ""], *([f"{at:04d}", *row, ""] for at, row in enumerate(other))])
    write(tmp_path / "truth.csv", [["a", "b"], *([f"{at}.0", at] for at in range(40))])
    assert right(known(tmp_path))


def test_ids_win_over_the_count_of_rows_that_a_program_wrote_before_them(tmp_path: Path) -> None:
    one, other = companies()
    write(tmp_path / "a.csv", [["", "id", "name", "town"], *([at, at + 3, *row] for at, row in enumerate(one))])
    write(tmp_path / "b.csv", [["", "id", "name", "town"], *([at, at + 2, *row] for at, row in enumerate(other))])
    rows = [[number, at + 3, at + 2] for number, at in enumerate(range(5, 35))]
    write(tmp_path / "truth.csv", [["", "id_a", "id_b"], *rows])
    truth = known(tmp_path)
    assert truth.pairs == {(at, 40 + at) for at in range(5, 35)}
    assert "by 'id'" in truth.told[0]


@pytest.mark.parametrize(("encoding", "town"), [("cp1252", "Köln"), ("gb18030", "上海")])
def test_a_likely_encoding_is_taken_and_told(tmp_path: Path, encoding: str, town: str) -> None:
    rows = [[f"{name} {town}" if at % 9 == 0 else name, at // 2] for at, name in enumerate(NAMES)]
    write(tmp_path / "all.csv", [["name", "cluster"], *rows], encoding=encoding)
    truth = known(tmp_path)
    assert truth.records[0]["name"] == f"amber {town}"
    assert f"all.csv is not UTF-8 and was read as {encoding}" in truth.told[0]
