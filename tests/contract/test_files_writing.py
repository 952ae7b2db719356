"""What we write as files: whole or not at all, once, whoever repeats it in whatever batch; and what consumers open."""

from __future__ import annotations

import csv
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from files_room import Room
from openpyxl import load_workbook

from landbridge import seam
from landbridge.connector import Delivered, LineWrite, Write
from landbridge.errors import Denied, OutcomeUnknown, Rejected, Unavailable

COLUMNS = ["id", "name", {"name": "credit", "type": "number"}]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, pattern=None, columns=COLUMNS, write={"folder": "out", "reference": "ref"})


def record(number: int, version: int = 1, **change: Any) -> Write:
    body = {"id": f"K{number}", "name": f"Kunde {number}", "credit": "12.50", **change}
    return Write("customer", "create", uuid4(), version, f"key-{number}-{version}", f"LB{number}", body, dict(body))


def rows(room: Room, **words: Any) -> list[dict[str, str]]:
    found = []
    for name in room.names("out"):
        text = (room.root / "out" / name).read_bytes().decode("utf-8")
        found += list(csv.DictReader(io.StringIO(text, newline=""), **words))
    return found


def test_a_batch_is_one_file_that_appears_whole(room: Room) -> None:
    outcomes = room.connector().write("customer", [record(1), record(2)])
    assert all(isinstance(each, Delivered) and each.created for each in outcomes)
    assert [each.target_id for each in outcomes] == ["LB1", "LB2"]
    [name] = room.names("out")
    assert name.startswith("customer-")
    assert (room.root / "out" / name).read_bytes() == (
        b"id,name,credit,ref\r\nK1,Kunde 1,12.50,LB1\r\nK2,Kunde 2,12.50,LB2\r\n"
    )


def test_a_repeat_in_another_batch_by_another_process_is_one_effect(room: Room) -> None:
    room.connector().write("customer", [record(1), record(2)])
    room.clock.advance(90)
    outcomes = room.connector().write("customer", [record(2), record(3)])
    assert [each.created for each in outcomes] == [False, True]
    assert sorted(row["ref"] for row in rows(room)) == ["LB1", "LB2", "LB3"]


def test_a_repeat_after_the_consumer_took_the_file_writes_nothing(room: Room) -> None:
    room.connector().write("customer", [record(1)])
    for name in room.names("out"):
        (room.root / "out" / name).unlink()
    assert isinstance(room.connector().write("customer", [record(1)])[0], Delivered)
    assert room.names("out") == []
    assert room.connector().find("customer", "LB1") is not None


def test_another_version_or_content_is_another_effect(room: Room) -> None:
    connector = room.connector()
    connector.write("customer", [record(1)])
    room.clock.advance(1)
    connector.write("customer", [record(1, version=2, name="new")])
    room.clock.advance(1)
    connector.write("customer", [record(1, version=2, name="translated anew")])
    assert {row["name"] for row in rows(room)} == {"Kunde 1", "new", "translated anew"}
    assert [row.body["name"] for row in connector.fetch("customer", ["LB1"])] == ["translated anew"]


def test_the_same_record_twice_in_a_batch_is_one_row(room: Room) -> None:
    assert len(room.connector().write("customer", [record(1), record(1)])) == 2
    assert len(rows(room)) == 1


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("at", ["written", "entered", "renamed"])
def test_a_crash_between_any_two_steps_is_one_effect(at: str, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = room.connector()
    place = type(connector._place)
    write, rename = place.write, place.rename

    def writing(self: Any, folder: str, name: str, content: bytes) -> None:
        write(self, folder, name, content)
        if at == "written" and folder == "out":
            raise Died

    def renaming(self: Any, folder: str, name: str, to: str, new: str, *, effect: bool = False) -> None:
        rename(self, folder, name, to, new, effect=effect)
        if at == ("renamed" if effect else "entered"):
            raise Died

    monkeypatch.setattr(place, "write", writing)
    monkeypatch.setattr(place, "rename", renaming)
    with pytest.raises(Died):
        connector.write("customer", [record(1), record(2)])
    monkeypatch.undo()
    assert len(room.names("out")) == (1 if at == "renamed" else 0), "nobody sees half of it"
    assert (room.connector().find("customer", "LB1") is not None) == (at == "renamed")
    room.clock.advance(300)
    outcomes = room.connector().write("customer", [record(2), record(3), record(1)])
    assert all(isinstance(each, Delivered) for each in outcomes)
    assert sorted(row["ref"] for row in rows(room)) == ["LB1", "LB2", "LB3"]


def test_the_rename_passes_the_seam(room: Room) -> None:
    steps: list[tuple[str, str]] = []
    with seam.install(lambda kind, what: steps.append((kind, what))):
        room.connector().write("customer", [record(1)])
    assert [kind for kind, _ in steps] == ["send", "receive"]


def test_a_lost_answer_of_a_mounted_disk_is_unknown(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = room.connector()
    rename = Path.rename

    def stale(self: Path, target: Path) -> Path:
        made = rename(self, target)
        if ".landbridge" not in str(target):
            raise OSError(5, "Input/output error")
        return made

    monkeypatch.setattr(Path, "rename", stale)
    [outcome] = connector.write("customer", [record(1)])
    assert isinstance(outcome, OutcomeUnknown)
    monkeypatch.undo()
    assert isinstance(room.connector().write("customer", [record(1)])[0], Delivered)
    assert len(rows(room)) == 1


def test_a_full_disk_is_unavailable_and_leaves_nothing_to_be_seen(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    [outcome] = room.connector().write("customer", [record(1)])
    assert isinstance(outcome, Unavailable)
    assert room.names("out") == []


def test_a_record_that_does_not_fit_is_refused_alone(room: Room) -> None:
    wrong = [
        record(1, name={"first": "a"}), record(2, credit="12,50"), record(3, phone="1"), record(4, name="a\0b"),
    ]  # fmt: skip
    outcomes = room.connector().write("customer", [*wrong, record(9)])
    texts = [each.message for each in outcomes[:4]]
    assert all(isinstance(each, Rejected) and each.hint and each.status for each in outcomes[:4])
    for part, text in zip(
        ("name is nested", "credit takes a number", "phone is not declared", "NUL"), texts, strict=True
    ):
        assert part in text
    assert [row["ref"] for row in rows(room)] == ["LB9"]


def test_a_character_without_a_place_in_the_encoding_is_refused_alone(room: Room) -> None:
    outcomes = room.connector(encoding="latin-1").write("customer", [record(1, name="上海"), record(2, name="Köln")])
    assert "U+4E0A has no place in latin-1" in outcomes[0].message
    assert isinstance(outcomes[1], Delivered)
    [name] = room.names("out")
    assert b"K\xf6ln" in (room.root / "out" / name).read_bytes()


def test_decimal_comma_delimiter_and_formulas(room: Room) -> None:
    entity = {"delimiter": ";", "decimal": ",", "write": {**room.entity["write"], "formulas": "quote"}}
    names = ["=1+1", "@SUM(A1)", "-2+3", "+49 89 1", "-12.5", "plain"]
    room.connector(**entity).write("customer", [record(i, name=name) for i, name in enumerate(names)])
    found = rows(room, delimiter=";")
    assert [row["name"] for row in found] == ["'=1+1", "'@SUM(A1)", "'-2+3", "'+49 89 1", "-12.5", "plain"]
    assert {row["credit"] for row in found} == {"12,50"}


def test_a_spreadsheet_holds_texts_as_texts(room: Room) -> None:
    columns = [*COLUMNS, {"name": "on", "type": "date"}]
    connector = room.connector(format="excel", columns=columns, sheet="Kunden")
    connector.write("customer", [record(1, name="=1+1", on="2026-11-22"), record(2, name="00123", on=None)])
    [name] = room.names("out")
    assert name.endswith(".xlsx")
    sheet = load_workbook(room.root / "out" / name)["Kunden"]
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[0] == ["id", "name", "credit", "on", "ref"]
    assert [sheet["B2"].value, sheet["B2"].data_type, sheet["B3"].value] == ["=1+1", "s", "00123"]
    assert [str(found[1][3])[:10], float(found[1][2])] == ["2026-11-22", 12.5]
    [row] = connector.fetch("customer", ["LB1"])
    assert row.body == {"id": "K1", "name": "=1+1", "credit": row.body["credit"], "on": "2026-11-22"}


def test_json_lines_hold_documents_with_their_lines(room: Room) -> None:
    lines = tuple(LineWrite("insert", key, None, None, {"qty": qty}) for key, qty in (("a", "1"), ("b", "2")))
    document = record(1)
    write = Write("customer", "create", document.subject, 1, "k", "LB1", document.after, document.after, lines=lines)
    entity = {"format": "jsonl", "columns": (), "lines": {"columns": ["qty"], "reference": "line"}}
    [outcome] = room.connector(**entity).write("customer", [write])
    assert outcome.lines == {"a": "a", "b": "b"}
    [name] = room.names("out")
    assert (room.root / "out" / name).read_text(encoding="utf-8") == (
        '{"id":"K1","name":"Kunde 1","credit":"12.50","ref":"LB1",'
        '"lines":[{"qty":"1","line":"a"},{"qty":"2","line":"b"}]}\n'
    )


def test_names_and_markers(room: Room) -> None:
    to = {**room.entity["write"], "name": "{date}_{time}_{entity}_{key}.txt", "marker": "{name}.done"}
    room.connector(write=to).write("customer", [record(1)])
    names = room.names("out")
    assert [names[0] + ".done"] == names[1:]
    assert names[0].startswith("20260105_080000_customer_")


def test_a_marker_comes_after_a_crash_too(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    to = {**room.entity["write"], "marker": "{name}.done"}
    connector = room.connector(write=to)
    place = type(connector._place)
    rename = place.rename

    def renaming(self: Any, folder: str, name: str, to: str, new: str, *, effect: bool = False) -> None:
        if new.endswith(".done"):
            raise Died
        rename(self, folder, name, to, new, effect=effect)

    monkeypatch.setattr(place, "rename", renaming)
    with pytest.raises(Died):
        connector.write("customer", [record(1)])
    monkeypatch.undo()
    assert len(room.names("out")) == 1
    room.connector(write=to).write("customer", [record(1)])
    assert len(room.names("out")) == 2
    assert len(list((room.root / "out").glob("*.csv"))) == 1


def test_deleting_needs_a_column_that_tells_it(room: Room) -> None:
    write = Write("customer", "delete", uuid4(), 2, "k2", "LB1", {"id": "K1"}, {}, target_id="LB1", policy="delete")
    [outcome] = room.connector().write("customer", [write])
    assert isinstance(outcome, Rejected)
    assert room.connector().entity("customer").delete is None
    to = {**room.entity["write"], "action": "what"}
    assert isinstance(room.connector(write=to).write("customer", [write])[0], Delivered)
    assert [row["what"] for row in rows(room)] == ["delete"]


def test_the_journal_is_kept_for_as_long_as_it_is_asked_and_a_broken_one_stops_writing(room: Room) -> None:
    room.connector().write("customer", [record(1)])
    [entry] = (room.root / "out" / ".landbridge").glob("*.json")
    entry.write_text('{"file": "x"', encoding="utf-8")
    with pytest.raises(Unavailable, match="cannot be read"):
        room.connector().write("customer", [record(2)])
    old = (room.clock.now() - timedelta(days=31)).timestamp()
    os.utime(entry, (old, old))
    assert isinstance(room.connector().write("customer", [record(2)])[0], Delivered)
    assert not entry.exists()


def test_a_folder_without_rights_is_denied(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    connector = room.connector()
    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(Denied, match=r"write to out \(customer\)"):
        connector.check()
    with pytest.raises(Denied):
        raise connector.write("customer", [record(1)])[0]


def test_an_entity_that_is_only_read_or_only_written_says_so(room: Room) -> None:
    with pytest.raises(Rejected, match="only written"):
        list(room.connector().read("customer", None))
    with pytest.raises(Rejected, match="only read"):
        room.connector(pattern="*.csv", write=None).write("customer", [record(1)])
