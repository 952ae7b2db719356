"""Files as they really come: broken, growing, twice, vanishing, changed underneath; and the suite in a folder."""

from __future__ import annotations

import io
import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_files
import pytest
from bench import Bench, Side
from connectors_under_test import REGISTRY
from files_room import Room, table
from openpyxl import Workbook
from pydantic import ValidationError
from suite import ALL

from landbridge.connector import Registration
from landbridge.errors import Denied, Rejected

# -- the contract suite once more, in a folder -------------------------------------------------------------------------


class FolderBench(bench_files.FilesBench):
    """The same files without a server between: nothing can be cut, and there is no login."""

    def _begin(self) -> None:
        return

    def stop(self) -> None:
        return

    def place(self) -> dict[str, Any]:
        return {"folder": str(self.root)}

    def secrets(self) -> list[str]:
        return []

    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        pytest.fail("a folder has no line that could break")

    def expire_session(self) -> None:
        return


NEEDS_A_SERVER = re.compile(
    "unknown_outcome|commit_after|status_of|broken_reply|secret_never|which_right|rate_limit|its_limit|closes_its"
    "|document_written_twice"
)
"""Checks that plan a fault on the line, look at the login, or count requests."""


@pytest.mark.parametrize("check", [name for name in ALL if not NEEDS_A_SERVER.search(name)])
def test_contract_in_a_folder(check: str, tmp_path: Path) -> None:
    bench = FolderBench(REGISTRY["files"], tmp_path)
    bench.start()
    ALL[check](bench)
    bench.close()


def test_most_of_the_suite_runs_in_a_folder() -> None:
    assert sum(not NEEDS_A_SERVER.search(name) for name in ALL) >= 30


class Forgetful(bench_files.FilesBench):
    """Its connector finds no journal and names files by the time: what the suite must notice."""

    def raw_config(self) -> dict[str, Any]:
        found = super().raw_config()
        found["entities"]["customer"]["write"]["name"] = "{time}-{key}"
        return found

    def connector(self, **more: Any) -> Any:
        made = super().connector(**more)
        for path in (self.root / "out" / ".landbridge").glob("*.json"):
            path.unlink()
        return made


def test_the_suite_notices_a_connector_that_forgets_what_it_wrote(
    start: Callable[[Registration], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_files, "BENCH", Forgetful)
    with pytest.raises(AssertionError, match="the same change came twice"):
        ALL["unknown_outcome_is_one_effect[drop_after]"](start(REGISTRY["files"]))


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def keys(rows: list[Any]) -> list[str]:
    return [row.key for row in rows]


def test_a_broken_quote_in_row_900000_is_told_with_its_line_and_no_row_counts(room: Room) -> None:
    room.drop("big.csv", table(900_100, line=lambda i: f'{i},"name {i}' + ("" if i == 899_998 else '"')))
    rows, told = room.refused()
    assert rows == []
    assert "big.csv:900000: a quote" in told
    assert "quotes inside of a field are doubled" in room.reason("big.csv").lower()
    assert room.names("in/failed") == ["big.csv", "big.csv.error.txt"]


BROKEN: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "a wrong delimiter": (
        "id;name;city\n1;a;b\n", {"columns": ["id", "name", "city"]}, r"f.csv:1: .*separated by ';'.*delimiter: ';'"),
    "a column renamed": (
        "id,nmae\n1,a\n", {"columns": ["id", "name"]}, r"f.csv:1:name: the column is missing.*nmae"),
    "a column twice": ("id,name,name\n1,a,b\n", {}, r"f.csv:1:name: stands 2 times"),
    "a column without a name": ("id,,name\n1,a,b\n", {}, r"f.csv:1:2: the column has no name"),
    "ragged, too few": ("id,name\n1,a\n2\n3,c\n", {}, r"f.csv:3: the row has 1 cells, the header 2"),
    "ragged, too many": ("id,name\n1,a,b\n", {}, r"f.csv:2: the row has 3 cells, the header 2: a field holds ','"),
    "Latin-1 bytes": ("id,name\n1,München\n".encode("latin-1"), {}, r"f.csv:2: character 4 is the byte 0xfc.*latin-1"),
    "Windows bytes": ("id,name\n1,„Müller“\n".encode("cp1252"), {}, r"f.csv:2: .*encoding: cp1252"),
    "Chinese bytes": ("id,name\n1,上海\n".encode("gb18030"), {}, r"f.csv:2: .*encoding: gb18030"),
    "UTF-8 read as GB 18030": ("id,name\n1,ü€\n", {"encoding": "gb18030"}, r"f.csv:2: .*encoding: utf-8"),
    "UTF-16": ("id,name\n1,a\n".encode("utf-16"), {}, r"f.csv:1: .*UTF-16.*encoding: utf-16"),
    "NUL": (b"id,name\n1,a\n2,b\0c\n", {}, r"f.csv:3: a NUL character"),
    "nothing at all": ("", {}, r"f.csv: the file is empty"),
    "no key": ("id,name\n,a\n", {}, r"f.csv:2:id: is empty"),
    "no number": (
        "id,credit\n1,12x\n", {"columns": [{"name": "credit", "type": "number"}]}, r"f.csv:2:credit: is no number"),
    "a number of another country": (
        "id;credit\n1;1,234.50\n",
        {"delimiter": ";", "decimal": ",", "thousands": ".", "columns": [{"name": "credit", "type": "number"}]},
        r"f.csv:2:credit: is no number with , before the decimals and . between thousands"),
    "too long": ("id,name\n1,abcd\n", {"columns": [{"name": "name", "length": 3}]}, r"f.csv:2:name: has 4 characters"),
    "no date": ("id,on\n1,31.12.2026\n", {"columns": [{"name": "on", "type": "date"}]}, r"f.csv:2:on: is no date"),
    "no stamp": ("id,at\n1,yesterday\n", {"changed": "at"}, r"f.csv:2:at: is no stamp"),
    "a stamp without a zone": ("id,at\n1,2026-01-05T08:00\n", {"changed": "at"}, r"f.csv:2:at: has no time zone"),
    "a workbook": (b"PK\x03\x04rest", {}, r"f.csv:1: this is a spreadsheet"),
    "text after a quote": ('id,name\n1,"a"b\n', {}, r"f.csv:2: a quote is broken"),
    "a line without an end": (b"id,name\n" + b"x" * (17 * 1024 * 1024), {}, r"f.csv:2: no line ends within"),
    "no trailer": ("id,n\n1,5\n", {"trailer": {"mark": "END", "rows": 2}}, r"f.csv:0: the trailer 'END' is missing"),
    "rows that are not there": (
        "id,n\n1,5\nEND,2\n", {"trailer": {"mark": "END", "rows": 2}}, r"f.csv:3: the trailer says 2 rows, 1 came"),
    "a total that disagrees": (
        "id,n\n1,5.10\n2,6\nEND,11\n", {"trailer": {"mark": "END", "sums": {"n": 2}}},
        r"f.csv:4:n: the trailer says 11, the rows add up to 11.10"),
    "a row after the trailer": (
        "id,n\n1,5\nEND,1\n2,6\n", {"trailer": {"mark": "END", "rows": 2}}, r"f.csv:4: a row stands after the trailer"),
    "a document torn apart": (
        "id,p\n1,a\n2,b\n1,c\n", {"lines": {"columns": ["p"]}}, r"f.csv:4: the rows of 1 do not stand together"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_set_aside_whole_and_the_next_one_goes_through(case: str, room: Room) -> None:
    content, entity, expected = BROKEN[case]
    room.drop("f.csv", content)
    good = entity.get("columns", ["id", "name"])
    sound = {"delimiter": ";"} if entity.get("delimiter") == ";" else {}
    rows, told = room.refused(**entity)
    assert rows == []
    assert re.search(expected, room.reason("f.csv").replace("\n", " ")), room.reason("f.csv")
    assert "f.csv" in told
    assert room.names() == []
    room.drop("g.csv", "id,name\n7,x\n", seconds=1)
    assert keys(room.read()) == ["7"], (good, sound)
    assert room.read() == []


def test_every_finding_of_a_file_is_told_at_once_up_to_a_limit(room: Room) -> None:
    room.drop("f.csv", table(50, line=lambda i: f"{i}" if i % 2 else f",{i}"))
    room.refused()
    told = room.reason("f.csv")
    assert "f.csv:2:id: is empty" in told
    assert "f.csv:3: the row has 1 cells" in told
    assert "and 30 more" in told


def test_a_broken_file_between_sound_ones_stops_neither(room: Room) -> None:
    room.drop("a.csv", table(25))
    room.drop("b.csv", 'id,name\n1,"x\n', seconds=1)
    room.drop("c.csv", table(5, start=100), seconds=2)
    rows, told = room.refused()
    assert keys(rows) == [str(i) for i in (*range(25), *range(100, 105))]
    assert "1 of the files could not be read" in told
    assert room.read() == []


def test_a_broken_file_that_is_kept_is_told_once_and_looked_at_again_when_it_changes(room: Room) -> None:
    room.drop("b.csv", "id,name\n1\n")
    room.drop("c.csv", table(2, start=5), seconds=1)
    rows, told = room.refused(broken="keep")
    assert keys(rows) == ["5", "6"]
    assert "left where it is" in told
    assert room.names() == ["b.csv", "c.csv"]
    assert room.read(broken="keep") == []
    room.drop("b.csv", "id,name\n1,mended\n", seconds=60)
    assert keys(room.read(broken="keep")) == ["1"]


def test_a_file_that_is_mended_under_its_own_name_is_read(room: Room) -> None:
    room.drop("b.csv", "id,name\n1\n")
    room.refused()
    room.drop("b.csv", "id,name\n1,mended\n")
    assert keys(room.read()) == ["1"]
    room.drop("b.csv", "id,name\n1\n", seconds=5)
    room.refused()
    assert room.names("in/failed") == ["b.csv", "b.csv.error.txt", "b~2.csv", "b~2.csv.error.txt"]


def test_a_file_that_still_grows_is_left_alone(room: Room) -> None:
    path = room.drop("a.csv", table(3))
    grow = [table(3) + "3,name 3\n", table(3) + "3,name 3\n4,na"]

    def more(_: Any) -> None:
        if grow:
            path.write_text(grow.pop(0), encoding="utf-8")
            at = room.clock.now().timestamp()
            os.utime(path, (at, at))

    room.clock.watch(more)
    assert room.read() == []
    assert room.read() == []
    path.write_text(table(5), encoding="utf-8")
    assert keys(room.read()) == ["0", "1", "2", "3", "4"]


def test_a_file_that_grows_while_it_is_copied_is_left_alone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.drop("a.csv", table(3))
    connector = room.connector()
    fetch = type(connector._place).fetch

    def growing(self: Any, folder: str, name: str, into: Any) -> int:
        size: int = fetch(self, folder, name, into)
        with (room.root / folder / name).open("a", encoding="utf-8") as file:
            file.write("9,late\n")
        return size

    monkeypatch.setattr(type(connector._place), "fetch", growing)
    assert room.inbox.take(connector, "customer") == []
    monkeypatch.undo()
    assert keys(room.read()) == ["0", "1", "2", "9"]


def test_a_marker_says_that_a_file_is_whole(room: Room) -> None:
    room.drop("a.csv", table(2))
    before = room.clock.now()
    assert room.read(marker="{name}.done", afterwards="move") == []
    room.drop("a.csv.done", "")
    assert keys(room.read(marker="{name}.done", afterwards="move")) == ["0", "1"]
    assert room.clock.now() == before, "a marker needs no waiting"
    room.read(marker="{name}.done", afterwards="move")
    assert (room.names(), room.names("in/done")) == ([], ["a.csv"])


def test_a_marker_that_fits_the_pattern_is_no_drop(room: Room) -> None:
    room.drop("a.csv", table(1))
    room.drop("a.csv.done", "")
    assert keys(room.read(marker="{name}.done", pattern="*")) == ["0"]


def test_files_that_are_being_uploaded_or_hidden_are_none(room: Room) -> None:
    for name in ("a.csv.part", ".a.csv", "b.csv.filepart", "c.csv.tmp", "d.CSV"):
        room.drop(name, table(1))
    assert room.read(pattern="*") != []
    assert keys(room.inbox.rows) == ["0"], "d.CSV alone"
    assert room.names("in") == sorted(["a.csv.part", "b.csv.filepart", "c.csv.tmp", "d.CSV"])


def test_the_same_content_is_one_effect_under_whatever_name_and_however_often(room: Room) -> None:
    room.drop("a.csv", table(3))
    assert len(room.read(afterwards="move")) == 3
    room.read(afterwards="move")
    room.drop("a.csv", table(3), seconds=9)
    room.drop("copy of a.csv", table(3), seconds=10)
    pages = list(room.connector(afterwards="move").read("customer", room.inbox.cursor))
    assert [row for page in pages for row in page.rows] == []
    room.inbox.cursor = pages[-1].cursor
    room.read(afterwards="move")
    assert room.names() == []
    assert room.names("in/done") == ["a.csv", "a~2.csv", "copy of a.csv"]


def test_a_small_file_that_legitimately_repeats_is_taken_where_that_is_said(room: Room) -> None:
    for at, content in enumerate(("id,n\n1,10\n", "id,n\n1,8\n", "id,n\n1,10\n")):
        room.drop(f"{at}.csv", content, seconds=at)
    rows = [row for page in room.connector(repeat="take").read("customer", None) for row in page.rows]
    assert [row.body["n"] for row in rows if row.body] == ["10", "8", "10"]


def test_files_are_moved_only_when_a_cursor_proves_that_their_rows_are_stored(room: Room) -> None:
    room.drop("a.csv", table(25))
    connector = room.connector(afterwards="move")
    pages = connector.read("customer", None)
    assert len(next(pages).rows) == 10
    list(pages)  # read to the end, and nobody has stored the cursor: the process dies here
    assert room.names() == ["a.csv"]
    assert len(room.read(afterwards="move")) == 25
    assert room.names() == ["a.csv"]
    room.read(afterwards="move")
    assert (room.names(), room.names("in/done")) == ([], ["a.csv"])


def test_afterwards_delete(room: Room) -> None:
    room.drop("a.csv", table(2))
    room.read(afterwards="delete")
    room.read(afterwards="delete")
    assert room.names() == []


def test_reading_goes_on_in_the_middle_of_a_file_in_another_process(room: Room) -> None:
    room.drop("a.csv", table(34))
    seen: list[str] = []
    for _ in range(4):
        page = next(room.connector().read("customer", room.inbox.cursor))
        seen += keys(page.rows)
        room.inbox.cursor = page.cursor
    assert seen == [str(i) for i in range(34)], "each row once"


def test_a_file_that_was_changed_underneath_is_noticed_and_read_anew(room: Room) -> None:
    room.drop("a.csv", table(30))
    room.inbox.take(room.connector(), "customer", pages=1)
    room.drop("a.csv", table(30, line=lambda i: f"{i},other {i}"), seconds=60)
    rows, told = room.refused()
    assert len(rows) == 30
    assert "a.csv was changed after 10 of its rows were read" in told
    assert room.read() == []


def test_a_half_read_file_that_is_gone_is_told_until_it_is_back_and_others_go_on(room: Room) -> None:
    path = room.drop("a.csv", table(30))
    room.inbox.take(room.connector(), "customer", pages=1)
    path.unlink()
    room.drop("b.csv", table(2, start=50), seconds=1)
    rows, told = room.refused()
    assert keys(rows) == ["50", "51"]
    assert "a.csv is gone after 10 of its rows were read" in told
    _, again = room.refused()
    assert again == told
    room.drop("a.csv", table(30), seconds=90)
    assert keys(room.read()) == [str(i) for i in range(10, 30)]
    assert room.read() == []


def test_a_file_that_vanishes_while_it_is_read_takes_nothing_with_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.drop("a.csv", table(3))
    room.drop("b.csv", table(3, start=10), seconds=1)
    connector = room.connector()
    fetch = type(connector._place).fetch

    def racing(self: Any, folder: str, name: str, into: Any) -> int:
        if name == "a.csv":
            (room.root / folder / name).unlink(missing_ok=True)
        size: int = fetch(self, folder, name, into)
        return size

    monkeypatch.setattr(type(connector._place), "fetch", racing)
    rows, told = room.refused()
    assert keys(rows) == ["10", "11", "12"]
    assert "a.csv vanished while it was read; nothing of it was taken" in told


def test_links_are_never_followed(room: Room, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(table(1), encoding="utf-8")
    (room.root / "in" / "a.csv").symlink_to(secret)
    rows, told = room.refused()
    assert rows == []
    assert "is no plain file" in told
    assert secret.exists()
    assert (room.root / "in" / "failed" / "a.csv").is_symlink()


def test_a_folder_that_is_a_link_out_is_denied(room: Room, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    (room.root / "link").symlink_to(elsewhere)
    with pytest.raises(Denied, match="leads out of"):
        room.read(folder="link")


@pytest.mark.parametrize(
    "wrong",
    [
        {"folder": "../etc"}, {"folder": "/etc"}, {"folder": ".landbridge"}, {"pattern": "../*.csv"},
        {"encoding": "klingon"}, {"key": ()}, {"delimiter": ";;"}, {"decimal": ",", "thousands": ","},
        {"header": 0}, {"marker": "done"}, {"zone": "Mars/Olympus"}, {"snapshot": True, "broken": "keep"},
        {"columns": ["id"], "write": {"folder": "in", "reference": "ref"}},
        {"columns": ["id"], "write": {"folder": "out", "reference": "ref", "name": "always-the-same"}},
        {"columns": ["id"], "write": {"folder": "out", "reference": "ref", "name": "{key}-{nope}"}},
        {"write": {"folder": "out", "reference": "ref"}},
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_work_is_refused(wrong: dict[str, Any], room: Room) -> None:
    with pytest.raises(ValidationError):
        room.connector(**wrong)


def test_values_and_dialects(room: Room) -> None:
    room.drop("a.csv", 'ID;"credit";text\n1;"1.234,50-";"a;b ""c""\nd"\n\n2;;\n'.encode("cp1252"))
    columns = ["ID", {"name": "credit", "type": "number"}]
    rows = room.read(key="ID", delimiter=";", encoding="cp1252", decimal=",", thousands=".", columns=columns)
    assert [str(row.body["credit"]) for row in rows if row.body] == ["-1234.50", "None"]
    assert rows[0].body is not None and rows[0].body["text"] == 'a;b "c"\nd'
    assert rows[1].body == {"ID": "2", "credit": None, "text": None}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "cp1252"])
def test_encodings(encoding: str, room: Room) -> None:
    text = "Müller" if encoding == "cp1252" else "Müller 上海"
    room.drop("a.csv", f"id,name\n1,{text}\n".encode(encoding))
    [row] = room.read(encoding=encoding)
    assert row.body == {"id": "1", "name": text}


def test_a_byte_order_mark_is_no_part_of_the_first_column(room: Room) -> None:
    room.drop("a.csv", b"\xef\xbb\xbfid,name\r\n1,a\r\n")
    assert [row.body for row in room.read()] == [{"id": "1", "name": "a"}]


def test_without_a_header_and_with_one_further_down(room: Room) -> None:
    room.drop("a.csv", "1,a\n2,b\n")
    assert [row.body for row in room.read(header=0, columns=["id", "name"])] == [
        {"id": "1", "name": "a"}, {"id": "2", "name": "b"},
    ]  # fmt: skip
    room.drop("b.csv", "Report of today\nby us\nid,name\n3,c\n", seconds=1)
    assert [row.body for row in room.read(header=3)] == [{"id": "3", "name": "c"}]


def test_documents_come_whole_whatever_the_page(room: Room) -> None:
    text = "id,customer,line,product,qty\n" + "".join(
        f"O{i},C{i},{n},P{n},{n}\n" for i in range(13) for n in range(1, i % 4 + 2)
    )
    room.drop("a.csv", text)
    entity = {"lines": {"columns": ["product", "qty"], "key": "line"}}
    room.inbox.take(room.connector(**entity), "customer", pages=1)
    rows = room.inbox.rows + room.read(**entity)
    found = {row.key: row.body for row in rows}
    assert len(found) == 13
    assert found["O3"] == {
        "id": "O3", "customer": "C3",
        "lines": [{"product": f"P{n}", "qty": str(n), "line": str(n)} for n in range(1, 5)],
    }  # fmt: skip
    assert room.connector(**entity).line_key("customer", {"line": 7}) == "7"


def test_stamps_are_instants_and_deletions_are_told(room: Room) -> None:
    room.drop("a.csv", "id,at,state\n1,22.11.2026 10:00,live\n2,22.11.2026 10:01,gone\n")
    rows = room.read(
        changed="at", changed_format="%d.%m.%Y %H:%M", zone="Europe/Berlin",
        deleted={"column": "state", "values": ["gone"]},
    )  # fmt: skip
    assert [(r.key, r.stamp, r.action) for r in rows] == [
        ("1", "2026-11-22T09:00:00+00:00", "upsert"), ("2", "2026-11-22T09:01:00+00:00", "delete"),
    ]  # fmt: skip
    assert rows[1].body is None


def test_order_by_name_or_time(room: Room) -> None:
    room.drop("b.csv", "id,n\n1,b\n", seconds=0)
    room.drop("a.csv", "id,n\n1,a\n", seconds=5)
    for order, expected in (("time", ["b", "a"]), ("name", ["a", "b"])):
        rows = [row for page in room.connector(order=order).read("customer", None) for row in page.rows]
        assert [row.body["n"] for row in rows if row.body] == expected


def test_a_person_may_give_an_instant_to_start_from(room: Room) -> None:
    room.drop("old.csv", table(1))
    room.drop("new.csv", table(1, start=9), seconds=3600)
    at = room.clock.now().replace(minute=30).isoformat()
    rows = [row for page in room.connector().read("customer", at) for row in page.rows]
    assert keys(rows) == ["9"]


def test_json_lines(room: Room) -> None:
    room.drop("a.jsonl", '{"id": 1, "n": 0.1, "deep": {"x": [1]}}\n\n{"id": "b", "n": 12345678901234567890.5}\n')
    rows = room.read(format="jsonl", pattern="*.jsonl")
    assert keys(rows) == ["1", "b"]
    assert rows[0].body == {"id": 1, "n": 0.1, "deep": {"x": [1]}}
    assert str(rows[1].body["n"] if rows[1].body else "") == "12345678901234567890.5"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": 1}\n{"id": 2', r"f.jsonl:2: not JSON"),
        ('{"id": 1}\n[1]\n', r"f.jsonl:2: the line is no JSON object"),
        ('{"id": 1, "id": 2}\n', r"f.jsonl:1: key 'id' stands twice"),
        ('{"n": 1}\n', r"f.jsonl:1:id: is empty"),
        ('{"id": 1, "n": 5}\n{"end": true, "rows": 2, "n": 5}\n', r"f.jsonl:2: the trailer says 2 rows, 1 came"),
        ('{"id": 1, "n": 5}\n{"end": true, "rows": 1, "n": 6}\n', r"f.jsonl:2:n: the trailer says 6"),
    ],
)
def test_broken_json_lines(text: str, expected: str, room: Room) -> None:
    room.drop("f.jsonl", text)
    trailer = {"mark": "end", "rows": "rows", "sums": {"n": "n"}} if "end" in text else None
    room.refused(format="jsonl", pattern="*.jsonl", trailer=trailer)
    assert re.search(expected, room.reason("f.jsonl")), room.reason("f.jsonl")


def test_a_snapshot_is_the_newest_sound_file(room: Room) -> None:
    room.drop("a.csv", table(3))
    room.drop("b.csv", table(25, start=100), seconds=1)
    room.drop("c.csv", "id,name\n1\n", seconds=2)
    pages = []
    with pytest.raises(Rejected, match=r"c\.csv:2"):
        for page in room.connector(snapshot=True, afterwards="move").read("customer", None):
            pages.append(page)
    assert [len(page.rows) for page in pages] == [10, 10, 5]
    assert [page.complete for page in pages] == [False, False, True]
    assert {page.total for page in pages} == {25}
    assert (room.names(), room.names("in/done"), room.names("in/failed")) == (
        ["b.csv"], ["a.csv"], ["c.csv", "c.csv.error.txt"],
    )  # fmt: skip
    again = list(room.connector(snapshot=True, afterwards="move").read("customer", None))
    assert sum(len(page.rows) for page in again) == 25, "the last sound one stays"


def test_an_older_snapshot_is_not_read_while_the_newest_is_written_anew(room: Room) -> None:
    """`stock.csv` was read; while it is overwritten, yesterday's file beside it must not take everything back."""
    room.drop("yesterday.csv", table(30))
    path = room.drop("stock.csv", table(20), seconds=1)
    assert sum(len(page.rows) for page in room.connector(snapshot=True).read("customer", None)) == 20

    def grow(_seconds: float) -> None:
        with path.open("a") as file:
            file.write("99,more\n")

    connector = room.connector(snapshot=True)
    genuine, room.clock.sleep = room.clock.sleep, grow  # type: ignore[assignment,method-assign]  # somebody writes meanwhile
    try:
        assert list(connector.read("customer", None)) == []
    finally:
        room.clock.sleep = genuine  # type: ignore[method-assign]  # as above


def test_no_two_records_share_a_key_of_several_columns(room: Room) -> None:
    room.drop("a.csv", "order,line,n\n2026/11,1,a\n2026,11/1,b\n100~1,1,c\n100/,1,d\n2026,1,e\n")
    keys = [row.key for row in room.read(key=["order", "line"])]
    assert keys == ["2026~111/1", "2026/11~11", "100~01/1", "100~1/1", "2026/1"]


@pytest.mark.parametrize(("pattern", "wrong"), [("*.csv", True), ("a_*.csv", True), ("*.xlsx", False)])
def test_no_entity_takes_away_the_files_of_another_one(room: Room, pattern: str, wrong: bool) -> None:
    room.more = {"entities": {"customer": room.entity, "product": {**room.entity, "pattern": pattern}}}
    room.connector()
    for each in room.more["entities"].values():
        each["afterwards"] = "move"
    if wrong:
        with pytest.raises(ValidationError, match="customer and product read the same files"):
            room.connector()
    else:
        room.connector()


def test_merged_cells_are_refused_and_a_merged_title_is_not(room: Room) -> None:
    def book(merged: str) -> bytes:
        made, out = Workbook(), io.BytesIO()
        page = made.active
        assert page is not None
        for row in (["Orders of November"], ["id", "customer"], [1, "Acme"], [2, None], [3, "Bolt"]):
            page.append(row)
        page.merge_cells(merged)
        made.save(out)
        return out.getvalue()

    how = {"format": "excel", "pattern": "*.xlsx", "header": 2}
    room.drop("title.xlsx", book("A1:B1"))
    assert [row.body["customer"] for row in room.read(**how) if row.body] == ["Acme", None, "Bolt"]
    room.drop("rows.xlsx", book("B3:B4"), seconds=1)
    rows, told = room.refused(**how)
    assert rows == []
    assert "rows.xlsx:B3:B4: cells are merged" in told


def test_no_file_is_no_empty_snapshot(room: Room) -> None:
    assert list(room.connector(snapshot=True).read("customer", None)) == []
    room.drop("a.csv", "id,name\n")
    [page] = room.connector(snapshot=True).read("customer", None)
    assert (page.rows, page.complete, page.total) == ([], True, 0)


def test_memory_does_not_grow_with_the_file(room: Room) -> None:
    peaks = []
    room.more = {"page_size": 500}
    for n in (8_000, 40_000):  # both longer than any piece that is read at once
        room.drop("a.csv", table(n, line=lambda i: f"{i},{'name' * 70}"), seconds=n)
        tracemalloc.start()
        came = sum(len(page.rows) for page in room.connector(repeat="take").read("customer", None))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert came == n
    assert peaks[1] < peaks[0] * 1.2 + 200_000, peaks


def test_a_cursor_stays_short(room: Room) -> None:
    for i in range(40):
        room.drop(f"{i:03}.csv", table(1, start=i), seconds=i)
    room.read(afterwards="delete")
    room.read(afterwards="delete")
    assert len(room.inbox.cursor or "") < 40 * 30 + 200


def test_a_missing_folder_is_denied(room: Room) -> None:
    (room.root / "in").rmdir()
    with pytest.raises(Denied, match="the folder is not there"):
        room.read()
    with pytest.raises(Denied, match="the folder is not there"):
        room.connector().check()


def test_a_file_that_is_too_long_is_refused_unread(room: Room) -> None:
    room.more = {"max_file": 1024}
    room.drop("a.csv", table(500))
    rows, told = room.refused()
    assert rows == []
    assert "more than 1,024" in told
