"""`landbridge mdm evaluate`: what a folder holds, figures that are right, and bad input that is told clearly."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from landbridge.cli import build
from landbridge.errors import Invalid, LandbridgeError
from mdm.evaluate import Asked, Figures, Truth, searched, tables, understand
from mdm.evaluate._figures import best_threshold, coded, halves, pair_figures
from mdm.evaluate._run import _exact, _within

SEED = 20261122
PARTS = (
    "amber",
    "cedar",
    "copper",
    "falcon",
    "granite",
    "harbor",
    "indigo",
    "jade",
    "lunar",
    "onyx",
    "pearl",
    "silver",
)
DECLARED = """\
entity: company
columns:
  name: name | company
  town: town | fold
  phone: phone | digits
blocks: [phone, name, [{name: 4}, town]]
comparisons:
  name: {levels: [exact, {jaro_winkler: 0.92}, {jaro_winkler: 0.8}], frequency: true}
  town: [exact]
  phone: [exact, {damerau_levenshtein: 1}]
thresholds: {auto: 6, review: 0}
"""


def companies(count: int) -> list[tuple[int, dict[str, str]]]:
    """(company, record), every company twice, the second time with what people do to a name."""
    by = random.Random(SEED)
    found = []
    for number in range(count):
        one, two, three = by.sample(PARTS, 3)
        record = {
            "name": f"{one} {two} {three} GmbH",
            "town": by.choice(("Bremen", "Essen", "Köln", "Leipzig")),
            "phone": str(by.randrange(10**8, 10**9)),
        }
        found.append((number, record))
        at = by.randrange(2, 8)
        spoiled = record["name"][:at] + record["name"][at + 1 :].upper()
        found.append((number, {**record, "name": spoiled, "phone": record["phone"] if by.random() < 0.7 else ""}))
    return found


def write(folder: Path, name: str, rows: list[dict[str, str]], separator: str = ",", encoding: str = "utf-8") -> None:
    lines = [separator.join(rows[0]), *(separator.join(row.values()) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding=encoding)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of 240 records with the column `cluster`, and a declaration."""
    rows = [{"id": f"R{at}", **record, "cluster": f"C{number}"} for at, (number, record) in enumerate(companies(120))]
    write(tmp_path, "records.csv", rows)
    (tmp_path / "company.yaml").write_text(DECLARED, encoding="utf-8")
    return tmp_path


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two files, each company once in each, and their pairs in a third."""
    found = companies(120)
    left = [{"id": f"A{number}", **record} for number, record in found[::2]]
    right = [{"key": f"{number + 5000}", **record} for number, record in found[1::2]]
    write(tmp_path, "crm.csv", left, ";")
    write(tmp_path, "erp.csv", right, "\t", "utf-16")
    write(
        tmp_path,
        "truth.csv",
        [{"crm": one["id"], "erp": two["key"]} for one, two in zip(left, right, strict=True)],
        "|",
    )
    (tmp_path / "company.yaml").write_text(DECLARED, encoding="utf-8")
    return tmp_path


def landbridge(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["mdm", *map(str, arguments)])


def figures(*arguments: object) -> dict[str, Any]:
    ran = landbridge("evaluate", *arguments)
    assert ran.exit_code == 0, f"{ran.output}{ran.exception}"
    found: dict[str, Any] = json.loads(ran.output.splitlines()[-1])
    return found


def refused(*arguments: object) -> str:
    ran = landbridge("evaluate", *arguments)
    assert isinstance(ran.exception, LandbridgeError), ran.output
    return str(ran.exception)


def known(folder: Path, **asked: Any) -> Truth:
    return understand(tables(folder, None), Asked(**asked))


# -- whole runs --------------------------------------------------------------------------------------------------------


def test_groups_of_one_file_are_found_and_told(folder: Path) -> None:
    ran = landbridge("evaluate", folder)
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.output.splitlines()[-1])
    assert {"pairs_f1", "clusters_f1", "one_to_one_f1", "precision", "recall", "seconds", "mb"} <= found.keys()
    assert found["one_to_one_f1"] is None
    assert min(found["clusters_f1"], found["pairs_f1"]) > 0.8
    assert found["pairs_f1"] == pytest.approx(
        2 * found["precision"] * found["recall"] / (found["precision"] + found["recall"])
    )
    assert found["mb"] > 20 and found["seconds"] > 0
    assert "records.csv: 240 records by 'id'." in ran.output
    assert "The truth is the column 'cluster': 120 pairs are one." in ran.output


def test_two_files_of_different_separators_and_encodings_are_linked_one_to_one(two: Path) -> None:
    found = figures(two, "--one-to-one")
    assert found["one_to_one_f1"] > 0.9
    assert found["records"] == 240
    swapped = two / "truth.csv"
    lines = [line.split("|") for line in swapped.read_text().splitlines()]
    swapped.write_text("\n".join("|".join(reversed(line)) for line in lines) + "\n")
    assert figures(two, "--one-to-one")["one_to_one_f1"] == found["one_to_one_f1"]


def test_errors_are_shown_with_their_values_and_as_many_as_asked(folder: Path) -> None:
    text = DECLARED.replace("blocks: [phone, name, [{name: 4}, town]]", "blocks: [phone]")
    (folder / "company.yaml").write_text(text)
    ran = landbridge("evaluate", folder, "--errors", 3)
    assert ran.output.count("no block brings them together") == 3
    assert "gmbh" not in ran.output.partition("One, and not found")[2], "values are shown as they are compared"
    assert "One, and not found" not in landbridge("evaluate", folder, "--errors", 0).output


def test_what_a_value_holds_cannot_steer_the_terminal(two: Path) -> None:
    path = two / "crm.csv"
    path.write_text(path.read_text().replace("GmbH", "\x1b[31mGmbH"), encoding="utf-8")
    assert "\x1b" not in landbridge("evaluate", two, "--errors", 50).output


def test_pairs_of_two_texts_and_a_label_are_scored_and_searched(tmp_path: Path) -> None:
    found = companies(60)
    rows = [
        {"a": one["name"], "b": two["name"], "y": "是"}
        for (_, one), (_, two) in zip(found[::2], found[1::2], strict=True)
    ]
    rows += [{"a": rows[at]["a"], "b": rows[at + 1]["b"], "y": "否"} for at in range(0, 58, 2)]
    write(tmp_path, "pairs.csv", rows)
    (tmp_path / "d.yaml").write_text(
        "entity: company\ncolumns: {name: name | company, town: name | first}\nblocks: [name, {name: 3}]\n"
        "comparisons:\n  name: [exact, {jaro_winkler: 0.92}, {jaro_winkler: 0.8}]\n  town: [exact]\n"
        "thresholds: {auto: 4, review: 0}\n"
    )
    found_pairs = figures(tmp_path)
    assert found_pairs["pairs_f1"] > 0.9
    assert found_pairs["clusters_f1"] is None
    every = figures(tmp_path, "--search")
    assert 100 < every["records"] <= 120
    assert every["clusters_f1"] is not None


# -- what a folder holds -----------------------------------------------------------------------------------------------


def test_the_truth_is_understood_in_each_of_its_forms(folder: Path, tmp_path: Path) -> None:
    by_column = known(folder)
    rows = [
        {"id": name, "group": record["cluster"]} for name, record in zip(by_column.ids, by_column.records, strict=True)
    ]
    plain = [{k: v for k, v in record.items() if k != "cluster"} for record in by_column.records]
    (folder / "records.csv").unlink()
    write(folder, "records.csv", plain, ";")
    write(folder, "gold.csv", rows)
    by_clusters = known(folder)
    (folder / "gold.csv").unlink()
    pairs = [{"left_id": by_column.ids[a], "right_id": by_column.ids[b]} for a, b in by_column.pairs]
    write(folder, "matches.csv", [*pairs, {"left_id": pairs[0]["right_id"], "right_id": pairs[0]["left_id"]}])
    by_pairs = known(folder)
    assert by_column.pairs == by_clusters.pairs == by_pairs.pairs
    assert len(by_column.pairs) == 120
    assert "cluster" not in by_column.header and "id" not in by_column.header


def test_a_chain_of_pairs_is_one_group(tmp_path: Path) -> None:
    write(tmp_path, "people.csv", [{"id": str(at), "name": f"n{at}"} for at in range(5)])
    write(tmp_path, "truth.csv", [{"a": "0", "b": "1"}, {"a": "2", "b": "1"}])
    assert known(tmp_path).pairs == {(0, 1), (0, 2), (1, 2)}


def test_only_labelled_pairs_count_where_the_truth_tells_of_both_kinds(tmp_path: Path) -> None:
    write(tmp_path, "people.csv", [{"id": str(at), "name": f"n{at}"} for at in range(5)])
    rows = [("0", "1", "1"), ("1", "2", "0"), ("2", "3", "0")]
    write(tmp_path, "labels.csv", [{"left": a, "right": b, "label": y} for a, b, y in rows])
    truth = known(tmp_path)
    assert truth.pairs == {(0, 1)}
    assert truth.labelled == {(0, 1), (1, 2), (2, 3)}


def test_rows_without_ids_are_known_by_their_number(tmp_path: Path) -> None:
    write(tmp_path, "people.csv", [{"name": f"n{at}", "town": "x"} for at in range(3)])
    write(tmp_path, "truth.csv", [{"a": "0", "b": "2"}])
    assert known(tmp_path).pairs == {(0, 2)}


@pytest.mark.parametrize(
    ("left", "right", "stem"),
    [
        ("a", "b", "name"),
        ("name1", "name2", "name"),
        ("title_l", "title_r", "title"),
        ("left_name", "right_name", "name"),
        ("ltable_name", "rtable_name", "name"),
        ("name_left", "name_right", "name"),
    ],
)
def test_columns_that_stand_side_by_side_are_paired(tmp_path: Path, left: str, right: str, stem: str) -> None:
    write(tmp_path, "pairs.csv", [{left: "x", right: "y", "label": "1"}, {left: "p", right: "q", "label": "0"}])
    truth = known(tmp_path)
    assert truth.header == (stem,)
    assert (len(truth.pairs), len(truth.labelled or ())) == (1, 2)
    assert [record[stem] for record in truth.records] == ["x", "y", "p", "q"]


def test_searching_pairs_takes_every_different_record_once(tmp_path: Path) -> None:
    rows = [("x", "y", "1"), ("y", "z", "1"), ("p", "q", "0"), ("x", "x", "1")]
    write(tmp_path, "pairs.csv", [{"a": a, "b": b, "y": y} for a, b, y in rows])
    truth = searched(known(tmp_path))
    assert [record["name"] for record in truth.records] == ["x", "y", "z", "p", "q"]
    assert truth.pairs == {(0, 1), (0, 2), (1, 2)}


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_each_separator_is_found_even_where_values_hold_the_others(tmp_path: Path, separator: str) -> None:
    others = "".join(sign for sign in ",;|" if sign != separator)
    rows = [{"id": str(at), "name": f"n{others}{at}", "cluster": str(at // 2)} for at in range(6)]
    write(tmp_path, "people.csv", rows, separator)
    assert known(tmp_path).records[0]["name"] == f"n{others}0"


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_bad_files_are_told_with_their_place(folder: Path, tmp_path: Path) -> None:
    path = folder / "records.csv"
    good = path.read_text()
    header, first, rest = good.split("\n", 2)
    bad = {
        "": "the file is empty.",
        f"{header}\n": "there are no rows below the header.",
        f"{header}\n{first},more\n{rest}": "this row has 6 fields, and the header 5. (records.csv:2)",
        f"{header.replace('name', 'town', 1)}\n{first}\n": "two columns are called 'town'. (records.csv:1)",
        f'{header}\n"{first}\n{rest}': "a quote that opens in this row is never closed",
    }
    for text, message in bad.items():
        path.write_text(text)
        assert message in refused(folder), message


def test_another_encoding_is_told_and_can_be_given(folder: Path) -> None:
    path = folder / "records.csv"
    path.write_bytes(path.read_text().encode("latin-1"))
    told = refused(folder, "--encoding", "utf-8")
    assert "is the byte 0xf6, which is not utf-8" in told
    assert "--encoding" in told
    assert figures(folder, "--encoding", "latin-1")["records"] == 240
    assert "'klingon' is no encoding." in refused(folder, "--encoding", "klingon")


def test_ids_of_the_truth_that_are_not_there_are_listed(two: Path) -> None:
    path = two / "truth.csv"
    path.write_text(path.read_text() + "A7x|5007\nB9|5008\n" + "Q|5009\n" * 9)
    told = refused(two)
    assert "crm 'A7x' is no record of crm.csv. (truth.csv:122)" in told
    assert "Did you mean 'A7'?" in str(told) or "A7" in told
    assert "6 more ids are not there." in told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda at: (at / "company.yaml").unlink(), "holds no declaration"),
        (lambda at: (at / "other.yaml").write_text("x: 1"), "which of these is the declaration?"),
        (lambda at: (at / "records.csv").unlink(), "the folder holds no file that ends with .csv"),
        (lambda at: [(at / f"{n}.csv").write_text("p,q\n1,2\n") for n in "xyz"], "which of these hold the records"),
        (
            lambda at: (at / "company.yaml").write_text(DECLARED.replace("town: town", "town: twon")),
            "'twon' is no column of the records. Did you mean 'town'?",
        ),
        (
            lambda at: (at / "company.yaml").write_text(DECLARED.replace("town: town", "town: cluster")),
            "'cluster' is no column of the records.",
        ),
    ],
    ids=["no declaration", "two declarations", "no records", "too many files", "a missing column", "the truth itself"],
)
def test_a_folder_that_cannot_be_judged_says_what_to_do(folder: Path, change: Any, message: str) -> None:
    change(folder)
    assert message in refused(folder)


def test_options_that_name_nothing_are_told(folder: Path) -> None:
    assert "there is no column 'clustre'. (records.csv) hint: Did you mean 'cluster'?" in refused(
        folder, "--cluster", "clustre"
    )
    assert "there is no column 'idd'." in refused(folder, "--id", "idd")
    assert "this file is not in the folder." in refused(folder, "--truth", "gold.csv")
    assert "'C0' stands twice in the id column" in refused(folder, "--id", "cluster")
    assert "this folder is not there." in refused(folder / "nowhere")
    assert "one to one is between two files of records." in refused(folder, "--one-to-one")


def test_nothing_that_says_who_is_one_is_told(tmp_path: Path) -> None:
    write(tmp_path, "people.csv", [{"id": str(at), "name": f"n{at}"} for at in range(5)])
    with pytest.raises(Invalid, match="nothing says which records are one"):
        known(tmp_path)
    write(tmp_path, "people.csv", [{"id": str(at), "name": f"n{at}", "cluster": str(at)} for at in range(5)])
    with pytest.raises(Invalid, match="no value of the column 'cluster' stands twice"):
        known(tmp_path)


def test_records_that_no_block_brings_together_are_told_and_not_a_crash(tmp_path: Path) -> None:
    rows = [("1", "Sony lamp black", "a"), ("2", "Ohmega kettle steel", "a"), ("3", "Volta drill X200", "b")]
    write(tmp_path, "r.csv", [{"id": at, "name": name, "cluster": group} for at, name, group in rows])
    plain = "comparisons: {name: [exact]}\nblocks: [name]\n"
    likeness = "scoring: titles\ncomparisons: {name: [{cosine: 0.3}]}\nblocks: [{name: 4}]\n"
    for text in (plain, likeness):
        (tmp_path / "d.yaml").write_text(
            f"entity: x\ncolumns: {{name: name}}\n{text}thresholds: {{auto: 4, review: 0}}\n"
        )
        found = figures(tmp_path)
        assert (found["found_by_blocks"], found["recall"], found["clusters_f1"]) == (0, 0, 0)


def test_a_pair_that_weighs_too_little_is_not_told_as_one_that_no_block_found(tmp_path: Path) -> None:
    towns, names = ("Bremen", "Essen", "Köln"), [" ".join(one) for one in itertools.permutations(PARTS, 2)]
    rows = [
        {"id": str(at), "name": names[at // 2], "town": towns[at // 2 % 3], "cluster": f"C{at // 2}"}
        for at in range(240)
    ]
    rows += [
        {"id": "x", "name": "amber quay", "town": "Bremen", "cluster": "X"},
        {"id": "y", "name": "zinc pier", "town": "Bremen", "cluster": "X"},
        {"id": "p", "name": "brass moor", "town": "Ulm", "cluster": "Y"},
        {"id": "q", "name": "steel dune", "town": "Trier", "cluster": "Y"},
    ]
    write(tmp_path, "records.csv", rows)
    (tmp_path / "d.yaml").write_text(
        "entity: x\ncolumns: {name: name, town: town}\nblocks: [name, town]\n"
        "comparisons: {name: [exact], town: [exact]}\nthresholds: {auto: 12, review: 11}\n"
    )
    found = landbridge("evaluate", tmp_path, "--errors", 9).output
    missed = found[found.index("One, and not found") :]
    assert "x and y: -" in missed, missed
    assert "p and q: no block brings them together" in missed
    assert figures(tmp_path)["found_by_blocks"] == pytest.approx(1 - 1 / 122)


def test_records_that_say_nothing_are_counted(folder: Path) -> None:
    path = folder / "records.csv"
    path.write_text(path.read_text() + "R900,n/a,,,C900\n")
    assert "1 records say nothing in any declared column" in landbridge("evaluate", folder, "--errors", 0).output


# -- figures -----------------------------------------------------------------------------------------------------------


def test_figures_are_those_of_the_textbook() -> None:
    found = Figures(6, 8, 10)
    assert (found.precision, found.recall) == (0.75, 0.6)
    assert found.f1 == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert Figures(0, 0, 0).f1 == 1.0
    assert Figures(0, 3, 0).f1 == 0.0
    assert found + Figures(1, 1, 1) == Figures(7, 9, 11)


def test_the_best_threshold_is_the_best_of_all_that_could_be() -> None:
    by = np.random.default_rng(SEED)
    for _ in range(200):
        count = int(by.integers(1, 30))
        weights, right = np.round(by.normal(size=count) * 3), by.random(count) < 0.5
        true = int(right.sum()) + int(by.integers(0, 4))

        def f1(line: float, weights: Any = weights, right: Any = right, true: int = true) -> float:
            taken = weights >= line
            return Figures(int((taken & right).sum()), int(taken.sum()), true).f1

        best = max((f1(line) for line in {*weights.tolist(), 99.0}), default=0.0)
        assert f1(best_threshold(weights, right, true)) == pytest.approx(best) or best == f1(99.0), SEED


def test_halves_never_cut_a_group_and_do_not_follow_the_order() -> None:
    groups = [0, 0, 2, 3, 2, 5, 6, 7, 8, 9] * 1
    ids = [f"r{at}" for at in range(10)]
    half = halves(groups, ids)
    assert half[0] == half[1] and half[2] == half[4]
    assert set(halves(list(range(400)), [f"r{at}" for at in range(400)]).tolist()) == {0, 1}


def test_pairs_count_in_the_half_of_their_first_record_so_that_both_halves_are_the_whole() -> None:
    by = random.Random(SEED)
    every = list(itertools.combinations(range(30), 2))
    found, true = coded(by.sample(every, 80), 30), coded(by.sample(every, 60), 30)
    half = np.array([by.randrange(2) for _ in range(30)])
    parts = [pair_figures(found, true, lambda codes: half[codes // 30], one) for one in (0, 1)]
    assert parts[0] + parts[1] == pair_figures(found, true, lambda codes: half[codes // 30], None)


def test_pairs_within_groups_and_groups_that_are_right_whole() -> None:
    groups = np.array([0, 0, 2, 0, 4, 4, 6])
    assert {divmod(code, 7) for code in _within(groups).tolist()} == {(0, 1), (0, 3), (1, 3), (4, 5)}
    assert _exact(groups, np.array([0, 0, 2, 0, 4, 5, 6])) == Figures(1, 2, 1)
    assert _exact(groups, np.array([0, 0, 2, 3, 4, 4, 6])) == Figures(1, 2, 2)
