"""What of a changed description stops which mapping line, and which routes need it: without a store or a system."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from landbridge.canonical import Canonical
from landbridge.connector import Field, Fields
from landbridge.drift import Change, used
from landbridge.drift._compare import compare
from landbridge.drift._kept import read, written
from landbridge.settings import Flow, Settings
from landbridge.translator import Codes, Mapping, Tables, Translator
from landbridge.translator._tables import ALWAYS, CodeRow

TODAY = date(2026, 1, 5)
TEXT = {"type": "string"}
LIST = {"type": "array", "items": {"type": "object", "properties": {"kind": TEXT, "number": TEXT}}}
SHORT = {"type": "string", "maxLength": 20}
CUSTOMER = {"number": TEXT, "name": TEXT, "group": TEXT, "phones": LIST, "city": SHORT, "terms": TEXT, "note": TEXT}
MODEL = Canonical({"customer": {"type": "object", "properties": CUSTOMER, "required": ["number"]}})
CRM = """\
entity: customer
in:
  number: No
  name: {first: [Legal, Name]}
  group: {from: Kind, code: groups}
  phones:
    - {when: {Phone: {exists: true}}, kind: {const: phone}, number: Phone}
    - {when: {Fax: {exists: true}}, kind: {const: fax}, number: Fax}
  city: City
  terms: Terms
"""
ERP = """\
entity: customer
out:
  id: number
  label: name
  group: {from: group, code: erp_groups}
  phone: phones[kind=phone].number
  town: city
  cut: name | cut(10)
  kind: {const: company}
  remark: {from: note, on: create}
"""
WEB = "entity: customer\nout:\n  id: number\n  fax: phones[kind=fax].number\n  first: {from: name, on: create}\n"
NATIVE = ("No", "Name", "Legal", "Kind", "Phone", "Fax", "City", "Terms", "Unused")
TABLES = Tables(None).add(
    Codes("groups", "groups.yaml", (CodeRow("A", "gold", True, *ALWAYS, 1), CodeRow("B", "tin", True, *ALWAYS, 2))),
    Codes("erp_groups", "erp.yaml", (CodeRow("G", "gold", True, *ALWAYS, 1), CodeRow("T", "tin", True, *ALWAYS, 2))),
)


def flow(name: str, target: str, **route: Any) -> Flow:
    told = {
        "extract": {"from": "crm", "entity": "customer"},
        "deliver": [{"to": target, "entity": "customer", **route}],
    }
    return Flow.model_validate({"flow": name, "summary": "A flow.", "owner": "tests", **told})


class World:
    """A CRM, an ERP that is written whole, and a web shop that only ever updates."""

    def __init__(self) -> None:
        self.texts = {"crm": CRM, "erp": ERP, "web": WEB}
        self.flows = [flow("to_erp", "erp"), flow("to_web", "web", create=False)]

    def mapping(self, system: str, entity: str) -> Mapping:
        text = self.texts[system]
        return Translator(Path(), TABLES, MODEL).load_text(text, file=f"{system}.yaml")

    def used(self, system: str) -> Any:
        settings: Any = type("S", (), {})()
        settings.flows = {one.flow: one for one in self.flows}
        settings.canonical = MODEL
        settings.owned = Settings.owned.__get__(type("O", (), {"ownership": _ownership()})())
        return used(settings, self.mapping)[system, "customer"]


def _ownership() -> Any:
    from landbridge.settings import Ownership

    return Ownership.model_validate({})


def fields(*names: str, **more: Field) -> Fields:
    return Fields("Customer", {name: Field(name, "string", 80) for name in names} | more)


def without(known: Fields, name: str) -> Fields:
    return Fields(known.native, {key: one for key, one in known.fields.items() if key != name})


def changes(world: World, system: str, was: Fields | None, now: Fields) -> list[Change]:
    return compare(world.used(system), was, now, {}, TODAY)


KNOWN = fields(*NATIVE)
TARGET = fields(
    "id", "label", "phone", "town", "cut", "kind", "remark", group=Field("group", "string", 5, codes=("G", "T"))
)


@pytest.mark.parametrize(
    ("name", "routes"),
    [
        ("No", {"to_erp/erp", "to_web/web"}),  # no body is valid without it
        ("Name", {"to_erp/erp"}),  # the web shop takes it for new records only, and gets none
        ("Kind", {"to_erp/erp"}),
        ("Phone", {"to_erp/erp"}),  # one list, but the elements differ by their kind
        ("Fax", {"to_web/web"}),
        ("City", {"to_erp/erp"}),
        ("Terms", set()),  # read, and written nowhere
        ("Unused", set()),
    ],
)
def test_a_field_of_the_source_that_is_gone_stops_the_routes_it_reaches(name: str, routes: set[str]) -> None:
    found = changes(World(), "crm", KNOWN, without(KNOWN, name))
    stopped = {route for one in found for route in one.routes}
    assert stopped == routes, found
    assert [one.field for one in found] == [name]
    assert bool(found[0].form) == (name == "Name")  # in a `first:` of which another is there, an edit is the answer
    assert not changes(World(), "crm", KNOWN, KNOWN)


def test_what_a_route_decides_by_is_needed_though_it_is_written_nowhere() -> None:
    world = World()
    world.flows = [flow("to_erp", "erp"), flow("to_web", "web", when={"terms": ["N30"]})]
    [change] = changes(world, "crm", KNOWN, without(KNOWN, "Terms"))
    assert change.routes == ("to_web/web",) and change.lines == ("crm.yaml:10:10",)


@pytest.mark.parametrize(
    ("system", "name", "changed", "kind"),
    [
        ("erp", "town", {"length": 19}, "shortened"),  # the model lets 20 signs come
        ("erp", "town", {"length": 20}, ""),
        ("erp", "cut", {"length": 10}, ""),
        ("erp", "cut", {"length": 9}, "shortened"),
        ("erp", "kind", {"length": 7}, ""),
        ("erp", "kind", {"length": 6}, "shortened"),
        ("erp", "label", {"length": 79}, "shortened"),
        ("erp", "label", {"length": 200}, ""),
        ("erp", "label", {"length": None}, ""),
        ("erp", "label", {"type": "integer"}, "retyped"),
        ("erp", "label", {"type": "any"}, ""),
        ("erp", "label", {"creatable": False, "updatable": False}, "read_only"),
        ("erp", "label", {"creatable": False}, "read_only"),
        ("erp", "label", {"updatable": False}, "read_only"),
        ("web", "first", {"updatable": False}, ""),  # written at creation only, and that route creates nothing
        ("erp", "remark", {"length": 1}, ""),  # no source fills the note
        ("erp", "group", {"codes": ("G",)}, "codes"),
        ("erp", "group", {"codes": ("G", "T", "X")}, ""),
        ("erp", "label", {"label": "Another label"}, ""),
    ],
)
def test_a_changed_field_of_the_target(system: str, name: str, changed: dict[str, Any], kind: str) -> None:
    was = TARGET if system == "erp" else fields("id", "fax", "first")
    now = Fields(was.native, dict(was.fields) | {name: replace(was.fields[name], **changed)})
    stopping = [one for one in changes(World(), system, was, now) if one.routes]
    assert [one.kind for one in stopping] == ([kind] if kind else []), stopping


def test_a_shorter_source_and_a_new_value_there_are_told_only() -> None:
    was = Fields("Customer", dict(KNOWN.fields) | {"Kind": Field("Kind", "string", 80, codes=("A", "B"))})
    now = Fields("Customer", dict(KNOWN.fields) | {"Kind": Field("Kind", "string", 9, codes=("A", "C"))})
    [change] = changes(World(), "crm", was, now)
    assert not change.routes
    assert str(change) == (
        "Customer.Kind took 80 signs and takes 9; lost value B; has the new value C."
    )  # fmt: skip


def test_a_rename_is_guessed_from_type_name_and_label() -> None:
    def guess(old: Field, *new: Field) -> str:
        was = Fields("Customer", dict(without(KNOWN, "City").fields) | {"City": old})
        now = Fields("Customer", dict(without(KNOWN, "City").fields) | {one.name: one for one in new})
        return next(one for one in changes(World(), "crm", was, now) if one.routes).renamed

    old = Field("City", "string", 80, label="Town")
    assert guess(old, Field("City_Name", "string", 80)) == "City_Name"
    assert guess(old, Field("Ort", "string", 80, label="Town")) == "Ort"
    assert guess(old, Field("City2", "string"), Field("Ort", "string", label="Town")) == "Ort"  # a label says more
    assert guess(old, Field("City_Name", "integer")) == ""
    assert guess(old, Field("Weight", "string", 80)) == ""
    assert guess(replace(old, label=""), Field("Ort", "string", 80, label="")) == ""


def test_what_is_newly_required_and_not_written_stops_who_creates() -> None:
    was = Fields("Customer", dict(TARGET.fields) | {"tax": Field("tax", "string", 20)})
    now = Fields("Customer", dict(TARGET.fields) | {"tax": Field("tax", "string", 20, required=True)})
    assert [(one.kind, one.routes) for one in changes(World(), "erp", was, now)] == [("required", ("to_erp/erp",))]
    new = Fields("Customer", dict(TARGET.fields) | {"born": Field("born", "date", required=True)})
    assert [(one.kind, one.field) for one in changes(World(), "erp", TARGET, new)] == [("required", "born")]
    web = fields("id", "fax", "first")
    asked = Fields("Customer", dict(web.fields) | {"tax": Field("tax", "string", required=True)})
    assert all(not one.routes for one in changes(World(), "web", web, asked))  # that route creates nothing


def test_at_first_contact_only_what_cannot_work_is_told() -> None:
    assert changes(World(), "crm", None, KNOWN) == []
    [change] = changes(World(), "crm", None, without(KNOWN, "City"))
    assert change.message == "Customer has no field 'City'." and change.routes == ("to_erp/erp",)
    assert changes(World(), "crm", None, without(KNOWN, "Legal")) == []  # a `first:` that another field serves


def test_the_same_line_elsewhere_in_the_file_has_the_same_form_and_an_edited_one_another() -> None:
    def form(text: str) -> str:
        world = World()
        world.texts["erp"] = text
        return str(world.used("erp").writes["label"][0].form)

    assert form(ERP) == form(ERP.replace("out:\n", "out:\n  # moved\n  mark: {const: x}\n"))
    assert form(ERP) != form(ERP.replace("label: name", "label: name | cut(20)"))


def test_a_description_comes_back_from_the_store_as_it_was() -> None:
    told = Fields(
        "Customer",
        {
            "a": Field("a", "decimal", None, required=True, label="A"),
            "b": Field("b", "string", 9, creatable=False, updatable=False, codes=("x", "y")),
            "c.d": Field("c.d"),
        },
    )
    assert read("Customer", written(told)) == told
    assert written(Fields("Customer", {"c": Field("c")})) == {"c": {}}
