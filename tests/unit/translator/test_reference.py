"""docs/mappings.md is true: its examples run, its tables are those of the registry, its grammar names every form."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from landbridge.canonical import Canonical
from landbridge.strict import yaml
from landbridge.translator import Functions, Tables, Translator, lint, run_tests, schema
from landbridge.translator._forms import ALWAYS, HEADS, NULL
from landbridge.translator._reference import inserted
from landbridge.translator._tables import read_codes, read_decisions

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    found = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.M | re.S)
    assert found, f"the page has no example of {kind}"
    return found


@pytest.mark.parametrize("text", blocks("yaml mapping"), ids=lambda text: text.splitlines()[0])
def test_each_mapping_of_the_page_passes_its_own_tests(text: str, canonical: Canonical, tmp_path: Path) -> None:
    model = canonical if "entity: sales_order" in text else None
    mapping = Translator(tmp_path, Tables(None), model).load_text(text, file="docs/mappings.md")
    results = run_tests(mapping, model)
    assert results
    assert all(result.passed for result in results), "\n".join(map(str, results))
    assert lint([mapping]).problems == []
    jsonschema.validate(yaml.load(text, file="x").value, schema(canonical if model else None))


def test_the_tables_of_the_page_are_read() -> None:
    for text in blocks("yaml codes"):
        codes = read_codes("shop", yaml.load(text, file="docs/mappings.md"))
        assert codes.lossy() == []
    for text in blocks("yaml determine"):
        table = read_decisions("area", yaml.load(text, file="docs/mappings.md"))
        assert table.decide({"seller": "CN01", "channel": "mail"})["DistributionChannel"] == "20"


def test_the_function_of_the_page_runs() -> None:
    from landbridge.translator import _registry

    known = dict(_registry.STANDARD._known)
    space: dict[str, object] = {}
    try:
        exec(blocks("python function")[0], space)
        made = Functions.standard().get("initials")
        assert made is not None
        assert [made.bound((), {})(one.given) for one in made.examples] == [one.gives for one in made.examples]
    finally:
        _registry.STANDARD._known.clear()
        _registry.STANDARD._known.update(known)


def test_the_functions_of_the_page_are_those_of_the_registry() -> None:
    hint = "run: python -m landbridge.translator._reference docs/mappings.md"
    assert inserted(PAGE) == PAGE, hint


@pytest.mark.parametrize("word", sorted({*HEADS, *(key for keys in HEADS.values() for key in keys), *ALWAYS, *NULL}))
def test_each_word_of_the_language_stands_on_the_page(word: str) -> None:
    assert re.search(rf"[`{{ ]{word}[:`}}]", PAGE), f"docs/mappings.md says nothing of `{word}`"


def test_the_editors_schema_is_a_schema_and_refuses_nonsense(canonical: Canonical) -> None:
    made = schema(canonical)
    jsonschema.Draft202012Validator.check_schema(made)
    check = jsonschema.Draft202012Validator(made)
    assert check.is_valid({"entity": "sales_order", "in": {"number": "x | trim", "a": {"from": "x", "code": "c"}}})
    assert not check.is_valid({"entity": "sales_ordr", "in": {}})
    assert not check.is_valid({"entity": "sales_order", "in": {"a": {"from": "x", "cod": "c"}}})
    assert not check.is_valid({"entity": "sales_order", "inn": {}})
