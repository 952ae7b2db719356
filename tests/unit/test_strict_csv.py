"""CSV: strict quotes told with the line where the row began, encodings, mark and NUL, and a round trip of anything."""

from __future__ import annotations

import csv as standard
import io
import random
import tracemalloc

import pytest

from landbridge.errors import Invalid
from landbridge.strict import csv
from landbridge.strict.csv import Dialect, Screen


def numbered(content: bytes, dialect: Dialect = Dialect()) -> list[tuple[int, list[str]]]:
    return list(csv.numbered(io.BytesIO(content), dialect, "f.csv"))


def refused(content: bytes, dialect: Dialect = Dialect()) -> str:
    with pytest.raises(Invalid) as caught:
        numbered(content, dialect)
    assert caught.value.hint
    return str(caught.value)


def test_rows_are_numbered_by_the_line_where_they_begin() -> None:
    assert numbered(b'a,b\r\n1,"x\ny"\n\n2,z') == [(1, ["a", "b"]), (2, ["1", "x\ny"]), (4, []), (5, ["2", "z"])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'a\n"b\nc\nd\n', "f.csv:2: a quote that opens in this row is never closed (the file ends in line 4)"),
        (b'a\n"b"c\n', "f.csv:2: a quote is broken: in line 2 text stands"),
        (b'a\n"b\nc" d\n', "f.csv:2: a quote is broken: in line 3 text stands"),
        (b'a\n"' + b"b\n" * 80_000, "f.csv:2: a field has more than 131,072 characters"),
        ("a\nb\nü\n".encode("latin-1"), "f.csv:3: character 1 is the byte 0xfc, which is not utf-8"),
        (b"a\nb\n\xe4\xb8", "f.csv:3: character 1"),
    ],
)
def test_what_is_broken_is_told_with_its_line(content: bytes, said: str) -> None:
    assert said in refused(content)


def test_a_quote_that_is_never_closed_costs_no_memory() -> None:
    content = b'a\n"' + b"some text of a line\n" * 400_000
    tracemalloc.start()
    refused(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - len(content) < 4_000_000


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Zoë Müller", "latin-1"), ("“Müller” – 5 €", "cp1252"), ("上海公司", "gb18030"), ("上海公司", "utf-8")],
)
def test_the_encoding_that_would_fit_is_offered(text: str, encoding: str) -> None:
    read_as = "ascii" if encoding == "utf-8" else "utf-8"
    assert f"encoding: {encoding}" in refused(f"a\n{text}\n".encode(encoding), Dialect(encoding=read_as))


@pytest.mark.parametrize("cut", range(1, 9))
def test_the_screen_sees_what_lies_across_two_pieces(cut: int) -> None:
    screen = Screen("f.csv", "utf-8")
    text = b"a\nb\nc\n\0d"
    screen.feed(text[:cut]) if b"\0" not in text[:cut] else None
    with pytest.raises(Invalid, match=r"f\.csv:4: a NUL"):
        screen.feed(text[cut:] if b"\0" not in text[:cut] else text)


def test_the_screen_sees_the_mark_of_another_encoding_and_endless_lines() -> None:
    with pytest.raises(Invalid, match="UTF-16"):
        Screen("f.csv", "utf-8").feed("a,b".encode("utf-16"))
    Screen("f.csv", "utf-16").feed("a,b\n".encode("utf-16"))
    screen = Screen("f.csv", "utf-8")
    with pytest.raises(Invalid, match="no line ends"):
        for _ in range(40):
            screen.feed(b"x" * (1 << 19))


def test_without_quotes_a_quote_is_a_character() -> None:
    assert numbered(b'a;5" pipe\n', Dialect(";", "")) == [(1, ["a", '5" pipe'])]
    with pytest.raises(Invalid, match="cannot be written as CSV"):
        csv.written([["a;b"]], Dialect(";", ""))


def test_a_character_without_a_place_is_told() -> None:
    with pytest.raises(Invalid, match=r"U\+4E0A has no place in latin-1"):
        csv.written([["上"]], Dialect(encoding="latin-1"))


@pytest.mark.parametrize("seed", range(20))
def test_anything_that_is_written_is_read_the_same(seed: int) -> None:
    dice = random.Random(seed)
    dialect = Dialect(
        dice.choice(",;|\t"), dice.choice("\"'"), dice.choice(["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    )
    signs = "ab,;|\t\"'\n\r ü上🚚=+\\"
    rows = [["".join(dice.choices(signs, k=dice.randrange(9))) for _ in range(4)] for _ in range(50)]
    content = csv.written(rows, dialect)
    assert [row for _, row in numbered(content, dialect)] == rows
    assert list(csv.rows(io.BytesIO(content), dialect)) == rows


def test_the_standard_librarys_limit_is_as_we_say() -> None:
    assert standard.field_size_limit() == 131_072


def test_formulas_are_told_from_numbers() -> None:
    assert [text for text in ("=1", "+49 89", "-5", "-5,3", "@x", "a=1", "", "\t=1", "-") if csv.is_formula(text)] == [
        "=1", "+49 89", "@x", "\t=1", "-",
    ]  # fmt: skip


def test_a_file_stays_open_when_its_text_is_forgotten() -> None:
    source = io.BytesIO(b"a,b\n1,2\n")
    for _ in range(3):
        assert len(list(csv.rows(source, Dialect()))) == 2
        next(csv.numbered(source, Dialect(), "f.csv"))
    assert not source.closed
