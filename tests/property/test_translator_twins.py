"""The compiled twin and the slow one agree: on random mappings, random messages, whatever is missing, null or wrong."""

from __future__ import annotations

import copy
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from landbridge.errors import ConfigError, Invalid, LandbridgeError
from landbridge.strict import yaml
from landbridge.translator import Context, Mapping, Tables, Translator
from landbridge.translator._emit import compile_record
from landbridge.translator._tables import read_codes, read_decisions

EXAMPLES = int(os.environ.get("LANDBRIDGE_EXAMPLES", "400"))
NAMES = ["a", "b", "c", "l", "m", "k k"]
TABLES = Tables(None).add(
    read_codes("list", yaml.load("{codes: list, map: {A: one, B: two, '1': three}}", file="list.yaml")),
    read_codes(
        "dated",
        yaml.load(
            "{codes: dated, rows: [{native: A, canonical: x, until: 2026-06-30},"
            " {native: A, canonical: y, from: 2026-07-01}]}",
            file="dated.yaml",
        ),
    ),
    read_decisions(
        "rules",
        yaml.load(
            "{determine: rules, inputs: [p], outputs: [q], rows: [{when: {p: [A, 1]}, then: {q: yes}}]}",
            file="rules.yaml",
        ),
    ),
)
CONTEXT = Context(
    system="s", now=datetime(2026, 11, 21, tzinfo=UTC), target_id=lambda entity, subject: f"{entity}:{subject}"
)

scalars = st.sampled_from([None, True, False, 0, 1, 2.5, -0.0, 1e20, "", "A", "B", "1", "0.10", "2026-11-21", " x "])
messages = st.recursive(
    st.dictionaries(st.sampled_from(NAMES), scalars, max_size=4),
    lambda inner: st.dictionaries(
        st.sampled_from(NAMES), scalars | inner | st.lists(inner | st.none(), max_size=3), max_size=5
    ),
    max_leaves=12,
)

names = st.sampled_from(["a", "b", "c", "l", "m", '"k k"'])
selectors = st.sampled_from(["", "", "", "", "[0]", "[-1]", "[*]", "[a=A]", "[a=1]", "[a=true]"])
steps = st.builds(lambda name, selector: name + selector, names, selectors)
paths = st.lists(steps, min_size=1, max_size=3).map(".".join)
calls = st.sampled_from(
    ["", "", "", "trim", "upper", "text", "decimal", "decimal(2)", "number", "boolean", "date", "date_as(YYYYMMDD)",
     "split(A)", "join(A)", "count", "round(1)", "empty_to_null", "code(list)", "code(dated)", "default(d)", "pad(6)",
     "prefix($b)", "text | pad(9)", "target_id(customer)", "cut(1)", "negative"]
)  # fmt: skip
shorts = st.builds(lambda path, call: f"{path} | {call}" if call else path, paths, calls)
operands = st.builds(lambda up, path: up + path, st.just(""), st.lists(names, min_size=1, max_size=2).map(".".join))
expressions = st.sampled_from(
    ["a * b", "a + 1",
     "-(a - b) / 2", "round(a * 3, 2)", "sum(l, a * b)", "round(sum(l, a), 1)", "max(a, b, 0)", "abs(a)",
     "sum(m, a * b) + a", "min(a)", "a / b"]
)  # fmt: skip
tests = st.one_of(
    scalars.filter(lambda value: not isinstance(value, float)),
    st.lists(scalars.filter(lambda value: not isinstance(value, float)), max_size=3),
    st.sampled_from(
        [{"exists": True}, {"exists": False}, {"empty": True}, {"not": "A"}, {"gt": 1}, {"le": "B"}, {"contains": "A"}]
    ),
)
conditions: st.SearchStrategy[Any] = st.one_of(
    st.dictionaries(operands, tests, min_size=1, max_size=2),
    st.builds(lambda mode, parts: {mode: parts}, st.sampled_from(["any", "none", "all"]),
              st.lists(st.dictionaries(operands, tests, min_size=1, max_size=1), min_size=1, max_size=2)),
)  # fmt: skip
modes = st.fixed_dictionaries(
    {},
    optional={
        "default": scalars.filter(lambda value: value is not None),
        "if_null": st.sampled_from(["keep", "clear", "drop"]),
        "when": conditions,
        "on": st.sampled_from(["create", "update", "always"]),
    },
)


def forms(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = st.one_of(
        st.builds(lambda path: {"from": path}, shorts),
        st.builds(lambda path, more: {"from": path, "choose": {"A": 1, "true": {"from": "b"}}, **more}, paths,
                  st.sampled_from([{}, {"else": "no"}, {"else": {"from": "c"}}])),
        st.builds(lambda path, more: {"from": path, "choose": {"A": 1, "B": "x"}, **more}, paths,
                  st.sampled_from([{}, {"else": "no"}])),
        st.builds(lambda one, other: {"first": [one, other]}, shorts, shorts),
        st.builds(lambda one, other: {"join": [one, other], "with": "-"}, shorts, shorts),
        st.builds(lambda one, other: {"format": f"{{{one}}}/{{{other}}}"}, paths, paths),
        st.builds(lambda tree, then: {"compute": tree, **then}, expressions,
                  st.sampled_from([{}, {}, {"then": "number"}, {"then": "round(1)"}, {"then": "decimal(2)"}])),
        st.builds(lambda path: {"lookup": "rules", "with": {"p": path}, "take": "q"}, paths),
        st.builds(lambda path: {"ref": {"customer": path}}, paths),
        st.builds(lambda when, one, other: {"choose": [{"when": when, "then": {"from": one}}], "else": {"from": other}},
                  conditions, shorts, shorts),
        st.builds(lambda path: {"flatten": path}, paths),
        st.just({"const": [1, {"x": None}]}),
    )  # fmt: skip
    return st.one_of(
        st.builds(lambda form, more: {**form, **more}, plain, modes),
        st.dictionaries(st.sampled_from(["x", "amount", "currency", "value", "unit"]), inner, min_size=1, max_size=4),
        st.builds(lambda fields, when: {**fields, "when": when},
                  st.dictionaries(st.sampled_from(["x", "y"]), inner, min_size=1, max_size=2), conditions),
        st.builds(lambda path, fields: {"each": path, **fields}, paths,
                  st.dictionaries(st.sampled_from(["x", "y", "z"]), inner, min_size=1, max_size=3)),
        st.builds(lambda path, when: {"each": path, "where": when, "n": "$position", "i": "../a",
                                      "p": {"compute": "$position * 10", "then": "pad(4)"}},
                  paths, conditions),
        st.builds(lambda path, one: {"each": path, "take": one}, paths, inner),
        st.builds(lambda path: {"each": path, "group_by": "a", "k": "key", "r": {"each": "rows", "b": "b"}}, paths),
        st.lists(inner, min_size=1, max_size=3),
        st.builds(lambda form: {"a": form, "d": {"a": "same"}}, plain),
    )  # fmt: skip


values = st.recursive(shorts, forms, max_leaves=6)
mappings = st.dictionaries(st.sampled_from(["p", "q", "l", "t"]), values, min_size=1, max_size=4)


def same(left: Any, right: Any) -> bool:
    """Equal as JSON text: 1 is not 1.0, and true is not 1."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def build(fields: dict[str, Any]) -> Mapping | None:
    try:
        text = json.dumps({"entity": "e", "out": fields})
        return Translator(Path("none"), TABLES).load_text(text, file="m.yaml")
    except ConfigError:
        return None  # such as `same` with nothing above it: not what this test is about


@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(mappings, st.lists(messages, min_size=1, max_size=3), st.booleans())
def test_the_twins_agree(fields: dict[str, Any], bodies: list[dict[str, Any]], creating: bool) -> None:
    mapping = build(fields)
    if mapping is None or mapping.outward is None:
        return
    one = mapping.outward
    note(json.dumps(fields))
    for body in bodies:
        before = copy.deepcopy(body)
        walk = one.interpreter(CONTEXT, creating)
        try:
            expected: Any = walk.run(one.record, body)
        except Invalid:
            expected = Invalid
        for optional in (frozenset[str](), frozenset(walk.missing), everything(walk.missing, body)):
            fast = compile_record(one.record, TABLES, False, optional)
            try:
                found = fast(body, CONTEXT, creating)
            except (LandbridgeError, Exception):  # noqa: BLE001  # whatever it is, the slow twin is asked then
                continue
            note(f"optional {sorted(optional)}\n{one.source()}")
            assert expected is not Invalid, f"the quick twin accepts what the slow one refuses: {found}"
            assert same(found, expected)
        if expected is not Invalid:
            for _ in range(3):
                assert same(mapping.write(body, CONTEXT, creating=creating), expected)
            learnt = one._fast
            assert learnt is not None
        assert body == before, "a message is never changed"


def everything(missing: set[str], body: dict[str, Any]) -> frozenset[str]:
    """Paths that may be missing although they are not now: reading with care must not change anything."""
    return frozenset(missing | set(body) | {f"l[].{name}" for name in NAMES} | {f"a.{name}" for name in NAMES})


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.tuples(numbers, numbers), max_size=6))
def test_money_is_exact_to_the_last_digit(lines: list[tuple[Decimal, Decimal]]) -> None:
    mapping = build(
        {
            "l": {"each": "l", "n": {"compute": "round(a * b, 2)", "then": "decimal(2)"}},
            "t": {"compute": "round(sum(l, a * b), 2)", "then": "decimal(2)"},
        }
    )
    assert mapping is not None
    body = {"l": [{"a": str(a), "b": str(b)} for a, b in lines]}
    found = mapping.write(body, CONTEXT, creating=True)
    total = sum((a * b for a, b in lines), Decimal(0))
    assert Decimal(found["t"]) == total.quantize(Decimal("0.01"), "ROUND_HALF_UP")
    for line, (a, b) in zip(found["l"], lines, strict=True):
        assert Decimal(line["n"]) == (a * b).quantize(Decimal("0.01"), "ROUND_HALF_UP")


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(alphabet="ab.[]()|'\"\\ $=,*-+/{}0x:#", max_size=30))
def test_no_text_breaks_the_readers(text: str) -> None:
    for key in ("from", "compute", "format", "each", "group_by"):
        try:
            node = json.dumps({"entity": "e", "in": {"a": {key: text}}})
            Translator(Path("none"), TABLES).load_text(node, file="m.yaml")
        except ConfigError as error:
            assert all(problem.line == 1 for problem in error.problems)


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_of_a_user_becomes_code(name: str, value: str) -> None:
    """Names and words with quotes, braces, newlines and Python in them are only ever themselves."""
    from landbridge.translator import _ast as ast
    from landbridge.translator._paths import Key
    from landbridge.translator._paths import Path as MappingPath

    place = ast.Place("m", 1, 1)
    read = ast.At(path=MappingPath(0, (Key(name),)), place=place)
    fields = (
        ast.Field(name, read, "always", "clear", place),
        ast.Field(name + "2", ast.Const(value=value, place=place), "always", "clear", place),
        ast.Field(name + "3", ast.Format(parts=(value, read, value), place=place), "always", "clear", place),
    )
    run = compile_record(ast.Record(fields=fields, whole=True, place=place), TABLES, True, frozenset())
    assert run({name: value}, CONTEXT, True) == {name: value, name + "2": value, name + "3": value * 3}
