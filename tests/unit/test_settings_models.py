"""One declaration gives validation, documentation and editor schema: nothing in it is left undescribed."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from project_on_disk import FILES, registry
from pydantic import BaseModel, TypeAdapter

from landbridge import settings
from landbridge.cli._reference import ACTIONS, EXAMPLES, pages
from landbridge.settings import EntityOwnership, Flow, Override, SystemEntry, schemas
from landbridge.strict import yaml

MODELS = sorted(
    {one for name in settings.__all__ if inspect.isclass(one := getattr(settings, name)) and issubclass(one, BaseModel)}
    - {settings.Ownership},  # a mapping of entities, without fields of its own
    key=lambda model: model.__name__,
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_has_a_description_and_an_example_that_is_valid(model: type[BaseModel]) -> None:
    assert model.__doc__
    if model is not settings.EntityOwnership and model is not settings.Change:
        assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"]
    for name, field in model.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert field.examples, name
        if model is settings.System:
            continue  # made by loading, never written
        for example in field.examples:
            TypeAdapter(field.rebuild_annotation()).validate_python(example)


@pytest.mark.parametrize(
    ("kind", "model"), [("systems", SystemEntry), ("environment", Override), ("ownership", EntityOwnership)]
)
def test_the_examples_of_the_page_are_valid(kind: str, model: type[BaseModel]) -> None:
    for _, _, node in yaml.load(EXAMPLES[kind], file=kind).items():
        yaml.validate(node, model)


def test_the_flow_example_of_the_page_is_valid() -> None:
    flow = yaml.validate(yaml.load(EXAMPLES["flow"], file="flow"), Flow)
    assert list(flow.routes) == ["orders_to_erp/erp", "orders_to_erp/scm"]


def test_the_reference_pages_are_what_the_models_say(root: Path) -> None:
    for name, text in pages().items():
        committed = (root / "docs" / name).read_text(encoding="utf-8")
        assert committed == text, f"docs/{name} is behind the models; run `make docs`"


@pytest.mark.parametrize("model", [model for model in MODELS if model is not settings.System], ids=lambda m: m.__name__)
def test_nothing_is_undocumented(model: type[BaseModel], root: Path) -> None:
    page = (root / "docs" / "flows.md").read_text(encoding="utf-8")
    for name, field in model.model_fields.items():
        assert f"| `{field.alias or name}` |" in page, f"{model.__name__}.{name}"


def test_every_error_says_what_a_person_does(root: Path) -> None:
    from landbridge import errors

    page = (root / "docs" / "errors.md").read_text(encoding="utf-8")
    classes = [n for n, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, errors.LandbridgeError)]
    assert set(classes) == set(ACTIONS)
    for name in classes:
        assert f"\n## {name}\n" in page


def test_the_editor_schemas_take_what_is_right_and_refuse_what_is_not() -> None:
    from jsonschema import Draft202012Validator

    checks = {
        "config/flows/orders_to_erp.yaml": (schemas.flow(), "deliver", "delivr"),
        "config/systems.yaml": (schemas.systems(registry()), "page_size", "page_sise"),
        "config/environments/test.yaml": (schemas.environment(registry()), "url", "page_size"),
        "config/ownership.yaml": (schemas.ownership(), "owner", "ownr"),
    }
    for file, (schema, old, new) in checks.items():
        Draft202012Validator.check_schema(schema)
        right = yaml.load(FILES[file], file=file).value
        wrong = yaml.load(FILES[file].replace(old, new), file=file).value
        assert not list(Draft202012Validator(schema).iter_errors(right)), file
        assert list(Draft202012Validator(schema).iter_errors(wrong)), file


def test_retention_speaks_of_every_table_that_grows_with_time() -> None:
    from landbridge.store.tables import PARTITIONED

    by_table = settings.Retention().by_table
    assert set(by_table) == {table.name for table in PARTITIONED} | {"receipt", "run"}
    assert len(by_table) == len(settings.Retention.model_fields.keys() - {"hub"})
    assert settings.Retention().hub is None, "the hub's tables are its own, and nobody who does not ask loses history"
    changed = settings.Retention.model_validate({"bodies": "7d"}).by_table
    assert changed["body"].days == 7
