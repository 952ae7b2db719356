"""Workbooks from foreign systems: dates of both calendars, errors, formulas, bombs and disguises."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from landbridge.errors import Invalid
from landbridge.strict import excel

AT = datetime.fromisoformat("2026-01-05T08:30:00")  # a cell has no zone
DAY = datetime.fromisoformat("2026-11-22")


def workbook(*rows: list[Any], title: str = "Orders", mac: bool = False) -> bytes:
    book = Workbook()
    if mac:
        book.epoch = CALENDAR_MAC_1904
    page = book.active
    page.title = title
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def opened(content: bytes, **words: Any) -> excel.Sheet:
    return excel.opened(io.BytesIO(content), "f.xlsx", **words)


def repacked(content: bytes, change: dict[str, bytes]) -> bytes:
    """The same ZIP with parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part not in change:
                new.writestr(part, old.read(part))
        for part, text in change.items():
            new.writestr(part, text)
    return out.getvalue()


def refused(content: bytes, **words: Any) -> str:
    with pytest.raises(Invalid) as caught:
        list(opened(content, **words).checked())
    assert caught.value.hint
    return str(caught.value)


def test_rows_come_with_their_numbers_and_without_what_is_empty() -> None:
    sheet = opened(workbook(["id", "on"], [1, AT], [None, None], ["2", None, None]))
    expected = [(1, ["id", "on"]), (2, [1, AT]), (4, ["2"])]
    assert [(n, list(row)) for n, row in sheet.rows()] == expected
    assert [(n, list(row)) for n, row in sheet.checked()] == expected


def test_a_plain_number_is_a_day_of_the_workbooks_own_calendar() -> None:
    assert opened(workbook(["on"], [46348])).day(46348) == DAY
    assert opened(workbook(["on"], [44886], mac=True)).day(44886) == DAY


def test_an_error_value_is_told_by_its_cell() -> None:
    assert "f.xlsx:B3: the cell holds the error #REF!" in refused(workbook(["id", "n"], [1, 2], [2, "#REF!"]))


def test_a_formula_without_its_result_is_no_empty_cell() -> None:
    assert "f.xlsx:C2: a formula stands here without its result" in refused(workbook(["a", "b", "c"], [1, 2, "=A2+B2"]))


def test_a_sheet_is_chosen_by_name_and_a_missing_one_is_told_with_those_there_are() -> None:
    assert opened(workbook(["a"]), sheet="Orders").name == "Orders"
    assert "there is no sheet 'Order'" in refused(workbook(["a"]), sheet="Order")
    assert "There are: Orders" in refused(workbook(["a"]), sheet="Order")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this is no workbook"),
        (b"id,name\n", "this is no workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "encrypted workbook or one of the old format"),
        (workbook(["a"])[:900], "cannot be read"),
        (repacked(workbook(["a"]), {"xl/workbook.xml": b"<workbook>"}), "cannot be read"),
        (repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"}), "cannot be read"),
    ],
)
def test_what_is_no_workbook_says_what_it_is(content: bytes, said: str) -> None:
    assert said in refused(content)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = repacked(workbook(["a"]), {"xl/media/zeros.bin": bytes(64 * 1024 * 1024)})
    assert len(bomb) < 200_000
    assert "unpacks to" in refused(bomb, limits=excel.Limits(max_unpacked=16 * 1024 * 1024))
    texts = repacked(workbook(["a"]), {"xl/sharedStrings.xml": b"<sst>" + b" " * 1_000_000 + b"</sst>"})
    assert "unpacks to" in refused(texts, limits=excel.Limits(max_texts=100_000))
    many = repacked(workbook(["a"]), {f"xl/x{i}.bin": b"" for i in range(200)})
    assert "parts" in refused(many, limits=excel.Limits(max_parts=100))


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet>&a;</worksheet>'


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "docProps/core.xml", "x.rels"])
def test_no_part_may_hold_a_doctype(part: str) -> None:
    assert "DOCTYPE" in refused(repacked(workbook(["a"]), {part: ENTITY}))


def test_a_doctype_far_down_or_in_another_encoding_is_seen() -> None:
    far = b"<?xml version='1.0'?><!--" + b" " * (1 << 20) + b"--><!DOCTYPE x><worksheet/>"
    assert "DOCTYPE" in refused(repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": far}))
    for disguise in (ENTITY.decode().encode("utf-16"), b'<?xml version="1.0" encoding="cp037"?><worksheet/>'):
        assert "not UTF-8" in refused(repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": disguise}))


def test_a_row_with_an_absurd_number_ends_in_time() -> None:
    far = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    far += b'<row r="1"><c r="A1"><v>1</v></c></row><row r="999999999999"><c r="A999999999999"><v>2</v></c></row>'
    sheet = opened(repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": far + b"</sheetData></worksheet>"}))
    assert [n for n, _ in sheet.rows()] == [1]


def test_what_we_write_is_read_the_same() -> None:
    rows = [["id", "text", "on", "n"], ["001", "=1+1", date(2026, 11, 22), 1.5], [7, "上海 🚚", None, -3]]
    sheet = opened(excel.written(rows, "页"))
    found = [list(row) for _, row in sheet.checked()]
    assert sheet.name == "页"
    assert found == [rows[0], ["001", "=1+1", DAY, 1.5], rows[2]]


@pytest.mark.parametrize("text", ["a\x07b", "x" * 40_000])
def test_a_text_that_no_cell_holds_is_told(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        excel.text(text)
    assert caught.value.hint


def test_cells_are_named_as_a_spreadsheet_names_them() -> None:
    assert [excel.cell_name(1, c) for c in (0, 25, 26, 701, 702)] == ["A1", "Z1", "AA1", "ZZ1", "AAA1"]
