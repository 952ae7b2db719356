"""An operator edits code lists while everything runs: an unknown code waits, the operator adds it, a replay passes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, Ran
from house import FLOWS, House

from landbridge.codes import CodeLists
from landbridge.errors import ConfigError, Conflict
from landbridge.store import codes as kept
from landbridge.translator import Tables

UNIT = ("codes", "salesforce/unit")


@pytest.fixture
def project(house: House, tmp_path: Path) -> House:
    """The house with a project of its own, whose files may be written."""
    house.change_project(tmp_path / "project")
    return house


@pytest.fixture
def landbridge(project: House, monkeypatch: Any, capsys: Any) -> Any:
    """The command line of the house."""
    desk = Desk(project.engine, project.installation.root, monkeypatch, capsys, project.installation.canonical)

    def run(*arguments: Any) -> Ran:
        desk.installation = project.installation
        return desk(*arguments)

    return run


def lists(house: House) -> CodeLists:
    return CodeLists(house.installation)


def edit(house: House, native: str, canonical: str | None, action: str = "set", **more: Any) -> int:
    from landbridge.translator import key_of

    row = {"native": native, "canonical": canonical} | ({"preferred": True} if more.pop("preferred", False) else {})
    said = {"actor": "anna", "reason": "the org has it", **more}
    return lists(house).edit(*UNIT, key_of("codes", row), action, row if action == "set" else None, **said)


def refreshed(house: House) -> None:
    """As at the beginning of a batch."""
    with house.store.reading() as connection:
        house.installation.refresh(connection)


def strange_order(house: House) -> str:
    """An order with a unit that no list has; the products and the customer stand on both sides."""
    house.product("CHAI", price=18)
    customer = house.account()
    house.converge(*FLOWS)
    order = house.order(customer, [("CHAI", 10, 18, 0)])
    [line] = house.crm_lines(order)
    house.crm.update("OrderItem", line["Id"], {"Unit__c": "Stueck"})
    house.clock.advance(60)
    return order


def test_an_unknown_code_is_quarantined_added_by_an_operator_and_replayed(project: House, landbridge: Any) -> None:
    house = project
    strange_order(house)
    house.run("orders_to_erp")
    [(flow, state, reason)] = house.troubles()
    assert (flow, state) == ("orders_to_erp", "quarantined") and "('Stueck') is not in the code list" in reason
    wrong = landbridge("codes", "set", "salesforce/unit", "Stueck", "C62")
    assert wrong.code == 1 and "An edit needs a reason" in wrong.err
    say_so = ("--reason", "the German branch says so")
    unclear = landbridge("codes", "set", "salesforce/unit", "Stueck", "C62", *say_so)
    assert unclear.code == 1 and "'C62' has no clear way back in salesforce/unit: Each or Stueck?" in unclear.err
    chosen = landbridge("codes", "set", "salesforce/unit", "Each", "C62", "--preferred", *say_so)
    assert chosen.code == 0 and "1 row that this list stopped would not pass yet." in chosen.out, chosen
    ran = landbridge("codes", "set", "salesforce/unit", "Stueck", "C62", *say_so)
    assert ran.code == 0, ran
    assert "codes/salesforce/unit: now Stueck → C62, version 2" in ran.out
    assert "1 row of orders_to_erp that this list stopped would pass now." in ran.out
    row = ran.out.rsplit("replay ", 1)[1].split()[0]
    assert landbridge("dead", "replay", row).code == 0
    house.run("orders_to_erp")  # the same engine, which was never restarted
    assert house.troubles() == [] and len(house.erp.records("A_SalesOrder")) == 1
    told, _ = json.loads(landbridge("codes", "history", "salesforce/unit", "--json").out)
    assert told["row"] == {"native": "Stueck", "canonical": "C62"} and told["was"] is None
    assert told["reason"] == "the German branch says so" and told["actor"] and told["at"].startswith("2026-01-05")


def test_the_revision_is_kept_with_the_message(project: House) -> None:
    house = project
    strange_order(house)
    house.run("orders_to_erp")
    edit(house, "Sack", "BG")
    house.account("Around the Horn")
    house.run("customers_to_erp")
    digests = [row.mapping for row in house.rows("select mapping from inbox where processed order by id")]
    assert digests[-1].endswith("+1") and not any("+" in one for one in digests[:-1])


def test_another_process_takes_an_edit_up_with_its_next_batch_and_asks_one_number(project: House) -> None:
    house = project
    strange_order(house)
    other = house.open(house.installation.root)
    edit(house, "Each", "C62", preferred=True)
    edit(house, "Stueck", "C62")
    asked: list[Any] = []
    taken = other.refresh

    def refresh(connection: Any) -> None:
        before = other.__dict__.get("translator")
        taken(connection)
        asked.append(other.__dict__["translator"] is not before)

    other.engine.parts.refresh = refresh
    other.engine.run("orders_to_erp")
    assert house.troubles() == [] and len(house.erp.records("A_SalesOrder")) == 1
    assert sum(asked) <= 1 and len(asked) > 1  # loaded once, then only the number is read


def test_an_edit_is_judged_as_the_file_would_be(project: House, landbridge: Any) -> None:
    def refused(*arguments: str) -> str:
        ran = landbridge("codes", *arguments, "--reason", "because")
        assert ran.code == 1 and "Traceback" not in ran.err, ran
        return str(ran.err)

    assert "Did you mean 'salesforce/unit'" in refused("set", "salesforce/unti", "a", "b")
    assert "cannot be 'sent'" in refused("set", "salesforce/order_status", "Sent", "sent")
    assert "a date such as" in refused("set", "salesforce/unit", "Stueck", "C62", "--from", "tomorrow")
    assert "ends before it begins" in refused(
        "set", "salesforce/unit", "Stueck", "C62", "--from", "2026-02-01", "--until", "2026-01-01"
    )
    assert "is translated in line" in refused("set", "salesforce/unit", "Each", "EA", "--from", "2026-02-01")
    assert "says that already" in refused("set", "salesforce/unit", "Each", "C62")
    assert "has no such row" in refused("remove", "salesforce/unit", "Stueck")
    assert "No edit" in refused("reset", "salesforce/unit", "Each")
    assert "word is missing" in refused("set", "salesforce/unit", "Each")
    assert "colour is not known here" in refused("set", "sap_s4/sales_area", "--when", "colour=red", "--then", "a=b")
    assert "division is missing" in refused("set", "sap_s4/sales_area", "--when", "channel=web", "--then", "channel=20")
    with project.store.reading() as connection:
        assert kept.revision(connection) == 0  # nothing of that was kept


def test_the_second_of_two_people_is_told_what_the_first_did(project: House, landbridge: Any) -> None:
    edit(project, "Stueck", "NAR", expected=0)
    with pytest.raises(Conflict, match=r"edited by anna at 2026-01-05 08:00:00 \(the org has it\)") as raised:
        edit(project, "Stueck", "NPR", expected=0, actor="ben")
    assert (raised.value.ours, raised.value.theirs) == (0, 1)
    ran = landbridge("codes", "set", "salesforce/unit", "Stueck", "NPR", "--reason", "x", "--expect", "0")
    assert ran.code == 1 and "landbridge codes show codes/salesforce/unit" in ran.err
    assert edit(project, "Stueck", "NPR", expected=1, actor="ben") > 1


def test_edits_at_once_are_numbered_in_the_order_in_which_they_count(project: House) -> None:
    words = [f"Unit {number}" for number in range(8)]
    threads = [threading.Thread(target=edit, args=(project, word, f"X{n}")) for n, word in enumerate(words)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with project.store.reading() as connection:
        ids = [one.id for one in kept.standing(connection)]
        assert len(ids) == 8 and kept.revision(connection) == max(ids)


def test_undo_and_reset_keep_the_history(project: House, landbridge: Any) -> None:
    edit(project, "Each", "NAR")
    edit(project, "Each", "C62", reason="that was wrong")
    assert lists(project).table(*UNIT).lines[0].row == {"native": "Each", "canonical": "C62"}
    ran = landbridge("codes", "show", "salesforce/unit")
    assert "Each → C62" in ran.out and "that was wrong" in ran.out
    assert "the file says so too now" in ran.err
    assert landbridge("codes", "reset", "salesforce/unit", "Each", "--reason", "the file has it").code == 0
    assert "file" in landbridge("codes", "show", "salesforce/unit").out.splitlines()[2]
    assert [one.action for one in lists(project).history(*UNIT, 10)] == ["reset", "set", "set"]
    edit(project, "Hour", None, "remove")
    assert "removed by anna" in landbridge("codes", "show", "salesforce/unit").out
    told = [line.split()[1:4] for line in landbridge("codes", "list").out.splitlines() if "salesforce/unit" in line]
    assert told == [["25", "1", "4"]]


def test_a_decision_table_row_goes_in_front_and_decides(project: House, landbridge: Any) -> None:
    name = "determine/sap_s4/sales_area"
    then = [f"--then={one}" for one in ("organisation=1310", "channel=20", "division=00", "order_type=OR")]
    ran = landbridge("codes", "set", name, "--when", "channel=web,phone", *then, "--reason", "the new shop")
    assert ran.code == 0 and "channel web/phone → organisation 1310" in ran.out, ran
    refreshed(project)
    table = project.installation.translator.tables.decisions("sap_s4/sales_area")
    assert table.decide({"seller": "1010", "channel": "web"})["organisation"] == "1310"
    assert table.decide({"seller": "1010", "channel": "direct"})["organisation"] == "1010"
    assert landbridge("codes", "remove", name, "--when", "channel=web,phone", "--reason", "closed").code == 0
    refreshed(project)
    table = project.installation.translator.tables.decisions("sap_s4/sales_area")
    assert table.decide({"seller": "1010", "channel": "web"})["organisation"] == "1010"


def test_what_is_exported_is_the_file_that_would_say_the_same(project: House, landbridge: Any) -> None:
    root = project.installation.root
    assert landbridge("codes", "export").out == "No list was edited.\n"
    edit(project, "Stueck", "NAR")
    edit(project, "Each", None, "remove")
    for words in (("true", "EA", "--preferred"), ("Old", "EA", "--until", "2025-12-31")):
        assert landbridge("codes", "set", "salesforce/unit", *words, "--reason", "so it is").code == 0
    shown = landbridge("codes", "export", "salesforce/unit").out
    assert "Stueck: NAR" in shown and "- {native: Old, canonical: EA, until: 2025-12-31}" in shown.replace('"', ""), (
        shown
    )
    refreshed(project)
    edited = project.installation.translator.tables.codes("salesforce/unit")
    ran = landbridge("codes", "export", "--write")
    assert ran.code == 0 and "config/codes/salesforce/unit.yaml is written" in ran.out
    written = Tables(root / "config", under=root).codes("salesforce/unit")
    assert [(r.native, r.canonical, r.preferred, r.start, r.until) for r in written.rows] == [
        (r.native, r.canonical, r.preferred, r.start, r.until) for r in edited.rows
    ]
    assert "the file says so too now" in landbridge("codes", "show", "salesforce/unit").err
    assert lists(project).text(*UNIT) == (root / "config/codes/salesforce/unit.yaml").read_text(encoding="utf-8")


def test_a_file_that_changed_under_an_edit_is_told(project: House, landbridge: Any) -> None:
    edit(project, "Each", "NAR")
    file = project.installation.root / "config/codes/salesforce/unit.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("Each: C62", "Each: NPR"), encoding="utf-8")
    assert (
        "the file was changed since and says Each → NPR; the edit counts"
        in landbridge("codes", "show", "salesforce/unit").err
    )


@pytest.mark.parametrize("folder", ["codes", "determine"])
def test_every_shipped_table_survives_its_own_export(project: House, folder: str) -> None:
    """Written and read again, each says the same: what an edit is judged by loses nothing."""
    from landbridge.strict import yaml
    from landbridge.translator import rows_of
    from landbridge.translator._tables import read_codes, read_decisions

    found = lists(project)
    tables = Tables(project.installation.root / "config", under=project.installation.root)
    assert tables.names(folder)
    for name in tables.names(folder):
        node = yaml.load(found.text(folder, name).encode(), file="exported.yaml")
        assert rows_of(folder, node) == rows_of(folder, tables.file(folder, name)[0]), name
        (read_codes if folder == "codes" else read_decisions)(name, node)


def test_a_wrong_edit_that_stands_in_the_store_stops_loudly(project: House) -> None:
    """A file that changes so that it contradicts an edit is a configuration error, never a silent choice."""
    edit(project, "Stueck", "NAR")
    file = project.installation.root / "config/codes/salesforce/unit.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + 'rows:\n  - {native: Stueck, canonical: EA, from: "2026-01-01"}\n', encoding="utf-8")
    fresh = project.open(project.installation.root)
    with pytest.raises(ConfigError, match="as edited"):
        fresh.translator.tables.codes("salesforce/unit")


def test_a_word_that_is_missing_on_the_way_out_is_seen_too(project: House, landbridge: Any) -> None:
    """The CRM knows the unit, the ERP's list lost it: the row waits behind translate, and passes once it is back."""
    house = project
    name = "codes/sap_s4/unit"
    table = lists(house).table("codes", "sap_s4/unit")
    natives = [line.row["native"] for line in table.lines if line.row["canonical"] == "C62"]
    house.product("CHAI", price=18)
    customer = house.account()
    house.converge(*FLOWS)
    for native in natives:
        assert landbridge("codes", "remove", name, native, "--reason", "by mistake").code == 0
    house.order(customer, [("CHAI", 10, 18, 0)])
    house.run("orders_to_erp")
    [(_, state, reason)] = house.troubles()
    assert state in ("dead", "quarantined") and "is not in the code list sap_s4/unit" in reason
    for native in natives:
        ran = landbridge("codes", "reset", name, native, "--reason", "the file is right")
    assert ran.code == 0 and "1 row of orders_to_erp that this list stopped would pass now." in ran.out, ran
    assert landbridge("dead", "replay", ran.out.rsplit("replay ", 1)[1].split()[0]).code == 0
    house.run("orders_to_erp")
    assert house.troubles() == [] and len(house.erp.records("A_SalesOrder")) == 1
