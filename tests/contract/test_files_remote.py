"""SFTP as it really is: pinned keys, logins, cut lines, servers without extensions; and workbooks on their way."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import paramiko
import pytest
from files_room import REGISTRATION, Room, table
from openpyxl import Workbook
from sftp_server import Fault, SftpServer

from landbridge.connector import Delivered, Write
from landbridge.errors import Denied, OutcomeUnknown, Unavailable
from landbridge.net import LocalBudget, NetSettings, Rate, SftpAddress, open_http
from landbridge.time import ManualClock, uuid7

PASSWORD = "c4n4ry-sftp-password"


class Far(Room):
    """The same room behind an SFTP server."""

    def __init__(self, root: Path, **entity: Any) -> None:
        super().__init__(root, **entity)
        self.server = SftpServer(root, {"landbridge": PASSWORD})
        (root / "secret").write_text(PASSWORD, encoding="utf-8")
        self.opened: list[Any] = []
        self.budget: Any = None
        self.more = {
            "folder": None,
            "url": f"sftp://127.0.0.1:{self.server.port}/",
            "user": "landbridge",
            "password": f"file:{root / 'secret'}",
            "host_key": self.server.host_key,
        }

    def connector(self, **entity: Any) -> Any:
        entities = {"customer": {**self.entity, **entity}}
        config = REGISTRATION.config.model_validate({"entities": entities, "page_size": 10, **self.more})
        http = open_http("exchange", config, NetSettings(connect=3, read=1), clock=self.clock, budget=self.budget)
        made = REGISTRATION.connector("exchange", config, http, self.clock)
        self.opened.append(made)
        return made

    def close(self) -> None:
        for made in self.opened:
            made.close()
        self.server.close()


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    room = Far(tmp_path, columns=["id", "name"], write={"folder": "out", "reference": "ref"})
    yield room
    room.close()


def record(number: int) -> Write:
    body = {"id": f"K{number}", "name": f"Kunde {number}"}
    return Write("customer", "create", uuid7(), 1, f"key-{number}", f"LB{number}", body, body)


def test_the_pinned_key_is_held_to_before_anything_is_told(far: Far) -> None:
    other = paramiko.ECDSAKey.generate()
    for pinned in (f"{other.get_name()} {other.get_base64()}", "SHA256:" + "A" * 43):
        far.more["host_key"] = pinned
        with pytest.raises(Denied, match="not the pinned one") as caught:
            far.connector().check()
        assert "SHA256:" in caught.value.message
    assert far.server.state.seen == []


def test_a_fingerprint_and_one_of_several_keys_will_do(far: Far) -> None:
    far.more["host_key"] = ["SHA256:" + "A" * 43, far.server.key.fingerprint]
    assert far.connector().check().organisation == f"sftp://127.0.0.1:{far.server.port}/"
    far.more["host_key"] = far.server.host_key + " comment@host"
    far.connector().check()


def test_a_wrong_password_is_denied_and_not_printed(far: Far) -> None:
    (far.root / "secret").write_text("c4n4ry-wrong-password", encoding="utf-8")
    with pytest.raises(Denied, match="does not let landbridge in") as caught:
        far.connector().check()
    assert "c4n4ry" not in str(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize("phrase", [None, "c4n4ry-passphrase"])
def test_a_private_key(phrase: str | None, far: Far) -> None:
    key, out = paramiko.ECDSAKey.generate(), io.StringIO()
    key.write_private_key(out, password=phrase)
    (far.root / "key").write_text(out.getvalue(), encoding="utf-8")
    far.server.state.keys["landbridge"] = key
    far.more |= {"password": None, "private_key": f"file:{far.root / 'key'}"}
    if phrase is not None:
        (far.root / "phrase").write_text(phrase, encoding="utf-8")
        far.more["passphrase"] = f"file:{far.root / 'phrase'}"
    far.connector().check()
    (far.root / "key").write_text("no key at all", encoding="utf-8")
    with pytest.raises(Denied, match="the private key cannot be read"):
        far.connector().check()


def test_nobody_listens(far: Far) -> None:
    far.server.close()
    with pytest.raises(Unavailable, match="no connection"):
        far.connector().check()


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0"])
def test_addresses_that_no_business_system_has_are_denied(host: str, far: Far) -> None:
    far.more["url"] = f"sftp://{host}:22/"
    with pytest.raises(Denied, match="never an address of a business system"):
        far.connector().check()


@pytest.mark.parametrize(
    "url", ["http://a.example/", "sftp://u:p@a.example/", "sftp://a.example/x/../y", "sftp:///x", "sftp://a b/", "x"]
)
def test_doubtful_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        SftpAddress.parse(url)
    assert str(SftpAddress.parse("sftp://Files.Acme.example/a%20b/")) == "sftp://files.acme.example:22/a b"


def test_a_long_file_comes_whole_and_in_order(far: Far) -> None:
    far.drop("a.csv", table(60_000))
    far.more["page_size"] = 5_000
    assert [row.key for row in far.read()] == [str(i) for i in range(60_000)]


def test_a_line_that_is_cut_in_a_file_takes_no_row_of_it_and_the_next_run_takes_all(far: Far) -> None:
    far.drop("a.csv", table(30))
    far.server.state.faults.append(Fault(("read",), "drop_before", about="a.csv"))
    with pytest.raises(Unavailable):
        far.read()
    assert far.inbox.rows == []
    assert len(far.read()) == 30


def test_a_server_without_posix_rename_will_do(far: Far) -> None:
    far.server.state.posix_rename = False
    assert isinstance(far.connector().write("customer", [record(1)])[0], Delivered)
    assert len(far.names("out")) == 1


@pytest.mark.parametrize("about", ["out/.customer", ".landbridge/"])
def test_what_fails_before_the_rename_was_not_published(about: str, far: Far) -> None:
    far.server.state.faults.append(Fault(("write",), "failure", about=about))
    connector = far.connector()
    [outcome] = connector.write("customer", [record(1)])
    assert isinstance(outcome, Unavailable)
    assert far.names("out") == []
    assert isinstance(connector.write("customer", [record(1), record(2)])[0], Delivered)
    assert len(far.names("out")) == 1


@pytest.mark.parametrize("act", ["drop_before", "drop_after", "garbage", "failure"])
def test_a_lost_rename_is_one_effect_in_another_batch_too(act: str, far: Far) -> None:
    far.server.state.faults.append(Fault(("publish",), act))
    [outcome] = far.connector().write("customer", [record(1)])
    assert isinstance(outcome, OutcomeUnknown)
    far.clock.advance(200)
    outcomes = far.connector().write("customer", [record(2), record(1)])
    assert all(isinstance(each, Delivered) for each in outcomes)
    text = "".join((far.root / "out" / name).read_text(encoding="utf-8") for name in far.names("out"))
    assert (text.count("LB1"), text.count("LB2")) == (1, 1)


def test_every_request_asks_the_budget(far: Far) -> None:
    far.budget = LocalBudget(Rate(requests=1, per=1), far.clock)
    before = far.clock.now()
    far.drop("a.csv", table(3))
    far.read(quiet=0)
    assert (far.clock.now() - before).total_seconds() >= 3


# -- workbooks ---------------------------------------------------------------------------------------------------------


def workbook(*rows: list[Any], mac: bool = False) -> bytes:
    book = Workbook()
    if mac:
        from openpyxl.utils.datetime import CALENDAR_MAC_1904

        book.epoch = CALENDAR_MAC_1904
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


EXCEL: dict[str, Any] = {"format": "excel", "pattern": "*.xlsx"}
DATES = [{"name": "on", "type": "date"}]


@pytest.mark.parametrize(("serial", "mac"), [(46348, False), (44886, True)])
def test_dates_that_are_plain_numbers(serial: int, mac: bool, tmp_path: Path) -> None:
    room = Room(tmp_path, **EXCEL, columns=DATES)
    room.drop("a.xlsx", workbook(["id", "on", "n"], [4711, serial, 2.0], ["0815", date(2026, 11, 22), None], mac=mac))
    rows = room.read()
    assert [row.key for row in rows] == ["4711", "0815"]
    assert [row.body for row in rows] == [
        {"id": 4711, "on": "2026-11-22", "n": 2}, {"id": "0815", "on": "2026-11-22", "n": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["id", "on"], [1, "soon"]], "a.xlsx:2:on: is no date"),
        ([["id", "on"], [1, "#N/A"]], "a.xlsx:B2: the cell holds the error #N/A"),
        ([["id", "on"], [1, "=TODAY()"]], "a.xlsx:B2: a formula stands here without its result"),
        ([["id"], [1]], "a.xlsx:1:on: the column is missing"),
        ([["id", "on"], [1, None, 3]], "a.xlsx:2: the row has 3 cells, the header 2"),
        ([["id", "on"], [None, 5]], "a.xlsx:2:id: is empty"),
    ],
)
def test_a_broken_workbook_is_told_by_its_cell(rows: list[list[Any]], said: str, tmp_path: Path) -> None:
    room = Room(tmp_path, **EXCEL, columns=DATES)
    room.drop("a.xlsx", workbook(*rows))
    found, told = room.refused()
    assert found == []
    assert said in told


def test_a_header_further_down_and_going_on_in_the_middle_of_a_workbook(tmp_path: Path) -> None:
    room = Room(tmp_path, **EXCEL, header=3)
    room.drop("a.xlsx", workbook(["Report"], [], ["id", "name"], *[[i, f"name {i}"] for i in range(25)]))
    seen: list[str] = []
    for _ in range(3):
        page = next(room.connector().read("customer", room.inbox.cursor))
        seen += [row.key for row in page.rows]
        room.inbox.cursor = page.cursor
    assert seen == [str(i) for i in range(25)]
    assert isinstance(room.clock, ManualClock)


def test_a_text_that_calls_itself_a_workbook(tmp_path: Path) -> None:
    room = Room(tmp_path, **EXCEL)
    room.drop("a.xlsx", "id,name\n1,a\n")
    assert "this is no workbook" in room.refused()[1]
