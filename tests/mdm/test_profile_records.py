"""`landbridge mdm profile`: kinds by content, columns of two files as one, blocks, and a declaration that works."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import uscc
from typer.testing import CliRunner

from landbridge.cli import build
from landbridge.errors import Invalid, LandbridgeError
from landbridge.strict import yaml
from mdm.declare import read
from mdm.profile import propose, seen
from mdm.profile._align import align
from mdm.profile._blocks import choose

SEED = 20261122


@pytest.fixture(scope="module")
def unseen(root: Path) -> Any:
    """The maker of sets that nothing was tuned to."""
    sys.path.insert(0, str(root / "benchmarks"))
    import _matching_unseen

    return _matching_unseen


BY = random.Random(SEED)
DIGITS = [str(BY.randrange(10**8, 10**9)) for _ in range(300)]
CONTENT = {
    "e-mail": [f"info{at}@acme.example" for at in range(300)],
    "web address": [f"https://www.acme{at}.example" for at in range(300)],
    "phone": [f"+49 30 {value[:6]}" for value in DIGITS],
    "date": [f"19{at % 70 + 20}-{at % 12 + 1:02d}-{at % 28 + 1:02d}" for at in range(300)],
    "uscc": [f"911100006000{value[:5]}{uscc.calc_check_digit(f'911100006000{value[:5]}')}" for value in DIGITS],
    "gtin": ["4006381333931", "4012345000009", "4006381333931"] * 100,
    "code": [f"AB-{value}" for value in DIGITS],
    "postal code": [f"{at % 90 + 10:02d}100" for at in range(300)],
    "category": ["open", "closed"] * 150,
    "company": [f"Copper {value[:3]} Works GmbH" for value in DIGITS],
    "street": [f"{value[:2]} Copper Road" for value in DIGITS],
    "number": [f"{at}.{at % 90 + 10}" for at in range(300)],
    "title": [f"Volta black lamp with stand VL-{value[:4]}" for value in DIGITS],
    "description": [
        f"a lamp with a stand that turns in every direction you may want, from {at} to 90" for at in range(300)
    ],
    "empty": [""] * 299 + ["x"],
    "constant": ["EUR"] * 300,
    "year": [("{}", "{}.0", "({})")[at % 3].format(1950 + at % 60) for at in range(300)],
}


@pytest.mark.parametrize("kind", CONTENT)
def test_a_column_is_known_by_its_content_whatever_it_is_called(kind: str) -> None:
    assert seen("column 7", CONTENT[kind]).kind == kind


def test_a_column_that_only_numbers_the_rows_is_left_out() -> None:
    assert seen("record_id", [f"r{at}" for at in range(300)]).kind == "row number"
    assert seen("x", [str(at) for at in range(300)]).kind == "row number"


def test_values_that_say_nothing_count_as_missing() -> None:
    assert seen("mail", [*CONTENT["e-mail"][:100], *["n/a"] * 100]).filled == 0.5


def test_columns_of_two_files_are_brought_together_by_what_they_hold() -> None:
    values = {
        "Firma": CONTENT["company"], "Tel": CONTENT["phone"], "Notiz": CONTENT["description"],
        "name": CONTENT["company"][50:], "phone": CONTENT["phone"][50:], "code": CONTENT["code"],
    }  # fmt: skip
    each = {name: seen(name, column) for name, column in values.items()}
    found = align([each["Firma"], each["Tel"], each["Notiz"]], [each["name"], each["phone"], each["code"]], values)
    assert set(found) == {("Firma", "name"), ("Tel", "phone")}


def test_blocks_bring_every_likely_match_together_more_than_once_and_stay_cheap() -> None:
    by = random.Random(SEED)
    known: list[dict[str, Any]] = []
    for _ in range(800):
        record = {"a": str(by.randrange(900)), "b": str(by.randrange(600)), "c": str(by.randrange(5000)), "d": "x"}
        twin = dict(record)
        twin[by.choice("abc")] = f"spoiled {by.random()}"
        known += [record, twin]
    chosen = choose(known, ["a", "b", "c", "d"], {})
    assert all(block.parts != (("d", None),) for block in chosen.blocks), "what all share brings too many together"

    def together(one: dict[str, Any], two: dict[str, Any]) -> int:
        return sum(all(one[name] == two[name] for name, _ in block.parts) for block in chosen.blocks)

    times = [together(one, two) for one, two in zip(known[::2], known[1::2], strict=True)]
    assert min(times) >= 1, SEED
    assert sum(one >= 2 for one in times) > len(times) / 2


def test_a_proposal_is_read_back_as_what_was_proposed(unseen: Any, tmp_path: Path) -> None:
    from mdm.evaluate import Asked, tables, understand

    for name, made in (("one", unseen.one_file), ("two", unseen.two_files)):
        made(tmp_path / name, 150)
        truth = understand(tables(tmp_path / name, None), Asked())
        found = propose(truth.records, truth.source_of, truth.header, entity="company")
        back = read(yaml.load(found.text, file="d.yaml"), header=truth.header)
        for part in (
            "entity",
            "scoring",
            "columns",
            "comparisons",
            "blocks",
            "thresholds",
            "identifiers",
            "one_to_one",
        ):
            if part != "columns":
                assert getattr(back, part) == getattr(found.declaration, part), part
        assert [(c.name, c.paths, c.normalise, c.many) for c in back.columns] == [
            (c.name, c.paths, c.normalise, c.many) for c in found.declaration.columns
        ]
    assert {column.paths for column in back.columns} >= {("Firma", "name"), ("PLZ", "zip")}
    assert back.one_to_one


def test_odd_names_of_columns_are_quoted_and_stay_apart() -> None:
    rows = [
        {"姓名": f"Copper {at}", "Name: #1": f"Cedar Works {at % 9} GmbH", "no": f"{at % 50} Copper Road"}
        for at in range(90)
    ]
    found = propose(rows, [0] * 90, list(rows[0]))
    back = read(yaml.load(found.text, file="d.yaml"), header=list(rows[0]))
    assert {path for column in back.columns for path in column.paths} <= set(rows[0])


def test_names_alone_are_compared_by_their_words() -> None:
    rows = [{"a": f"Copper Works {at} GmbH"} for at in range(90)]
    found = propose(rows, [0] * 90, ["a"]).declaration
    assert found.scoring == "titles"
    assert found.blocks[0].parts == (("name", 6),)


TITLE_WORDS = (
    "query index join view cache stream schema graph mining storage recovery locking".split()  # noqa: SIM905 (one line)
)
AUTHORS = ("Ada Larch", "Bo Quill", "Cy Thorn", "Di Umber", "Ed Vale", "Flo Wren", "Gus Yarrow", "Hal Zorn")


def papers(count: int) -> tuple[list[dict[str, str]], list[int]]:
    """Papers as two libraries know them: other venues, years as decimals, authors turned round."""
    by = random.Random(SEED)
    one, two = [], []
    for _ in range(count):
        title, authors = " ".join(by.sample(TITLE_WORDS, 6)), by.sample(AUTHORS, 3)
        year = by.randrange(1990, 2005)
        one.append(
            {"title": title, "authors": ", ".join(authors), "venue": by.choice(("VLDB", "SIGMOD")), "year": f"{year}"}
        )
        at = by.randrange(1, len(title) - 1)
        spoiled, place = title[:at] + title[at + 1 :], by.choice(("Very Large Data Bases", "Management of Data"))
        two.append({"title": spoiled, "authors": ", ".join(authors[::-1]), "venue": place, "year": f"{year}.0"})
    return one + two, [0] * count + [1] * count


def test_titles_with_authors_and_years_are_compared_by_their_words() -> None:
    from mdm.evaluate import Truth, evaluate

    records, source_of = papers(200)
    found = propose(records, source_of, list(records[0])).declaration
    assert found.scoring == "titles"
    assert {one.column: one.levels[0].test for one in found.comparisons} == {
        "title": "cosine",
        "authors": "cosine",
        "year": "exact",
    }, "the venues of both have nothing in common and say nothing"
    pairs = frozenset((at, at + 200) for at in range(200))
    truth = Truth(("a", "b"), tuple(records), tuple(source_of), tuple(map(str, range(400))), pairs)
    report = evaluate(truth, found, looks=0)
    assert report.clusters is not None
    assert report.clusters.chosen.f1 > 0.97


def test_a_brand_supports_a_title_and_people_or_addresses_keep_their_columns() -> None:
    by = random.Random(SEED)
    rows = [
        {
            "title": f"lamp {by.choice(TITLE_WORDS)} black stand VL-{value[:4]}",
            "brand": by.choice(("Volta", "Ohm & Co", "Lux")),
        }
        for value in DIGITS
    ]
    found = propose(rows, [0] * len(rows), list(rows[0])).declaration
    assert [(one.column, one.levels[0].test) for one in found.comparisons] == [
        ("title", "cosine"),
        ("codes", "intersect"),
        ("brand", "exact"),
    ]
    long = [{**row, "phone": f"+49 30 {value[:6]}"} for row, value in zip(rows, DIGITS, strict=True)]
    words = [
        {"about": " ".join(by.sample(TITLE_WORDS, 6)), "name": f"{by.choice(TITLE_WORDS)} {by.choice(AUTHORS)[-4:]}"}
        for _ in range(200)
    ]
    for others in (long, words):
        assert propose(others, [0] * len(others), list(others[0])).declaration.scoring == "fellegi_sunter"


def test_a_session_that_cannot_learn_leaves_nothing_of_itself_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Splink drops the columns that a session blocks on, and puts them back only when it ends well."""
    from splink.internals.em_training_session import EMTrainingSession

    from mdm import scoring
    from mdm.bulk import table_of
    from mdm.normalise import features

    by, rows = random.Random(SEED), []
    for at in range(150):
        row = {"name": f"{by.choice(AUTHORS)} {at}", "town": by.choice(TITLE_WORDS), "born": f"{1950 + at % 40}"}
        rows += [row, {**row, "name": row["name"][1:]}]
    found = propose(rows, [0] * len(rows), list(rows[0])).declaration
    trained, calls = EMTrainingSession._train, []

    def fails_once(session: EMTrainingSession) -> Any:
        calls.append(session)
        if len(calls) == 1:
            raise ValueError("m_probability value 1e-304 is below the minimum allowed value of 1e-300.")
        return trained(session)

    monkeypatch.setattr(EMTrainingSession, "_train", fails_once)
    learned = scoring.train(found, table_of(found, [features(found, row) for row in rows])).parsed["comparisons"]
    assert len(calls) > 1
    assert [one["output_column_name"] for one in learned] == [one.column for one in found.comparisons]


def test_nothing_of_the_truth_is_used_and_what_is_there_is_not_overwritten(unseen: Any, tmp_path: Path) -> None:
    unseen.one_file(tmp_path, 80)

    def profile(*more: str) -> Any:
        return CliRunner().invoke(build(), ["mdm", "profile", str(tmp_path), *more])

    told = profile()
    assert told.exit_code == 0, told.output
    assert "cluster:" not in told.output and "record_id:" not in told.output
    text = (tmp_path / "customers.csv").read_text()
    without = "\n".join(line.rpartition(",")[0] for line in text.splitlines())
    (tmp_path / "customers.csv").write_text(without + "\n")
    same = profile().output
    strip = [line for line in told.output.splitlines() if "not compared" not in line]
    assert strip == [line for line in same.splitlines() if "not compared" not in line]
    target = tmp_path / "d.yaml"
    assert profile("--write", str(target)).exit_code == 0
    again = profile("--write", str(target))
    assert isinstance(again.exception, LandbridgeError)
    assert "is there already" in str(again.exception)


def test_records_without_anything_to_compare_are_refused() -> None:
    with pytest.raises(Invalid, match="no column can be compared: a \\(constant\\)"):
        propose([{"a": "abc"}] * 20, [0] * 20, ["a"])


@pytest.mark.slow
def test_a_set_that_nothing_was_tuned_to_is_matched_by_what_is_proposed(unseen: Any, tmp_path: Path) -> None:
    unseen.two_files(tmp_path, 600)
    runner = CliRunner()
    target = tmp_path / "declaration.yaml"
    assert runner.invoke(build(), ["mdm", "profile", str(tmp_path), "--write", str(target)]).exit_code == 0
    ran = runner.invoke(build(), ["mdm", "evaluate", str(tmp_path)])
    found = json.loads(ran.output.splitlines()[-1])
    assert found["found_by_blocks"] > 0.95
    assert found["one_to_one_f1"] > 0.94
    assert found["declared_one_to_one_f1"] > 0.9
