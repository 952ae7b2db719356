"""Every function keeps what its examples promise; the registry refuses what it cannot document."""

from __future__ import annotations

import pytest

from landbridge.strict import yaml
from landbridge.translator import Context, Example, Function, Functions, Refused, function
from landbridge.translator._ast import Pipe
from landbridge.translator._forms import Forms
from landbridge.translator._values import final

STANDARD = list(Functions.standard())
CASES = [(one, example) for one in STANDARD for example in one.examples]


def call(text: str) -> Pipe:
    problems: list = []
    expr = Forms("in", Functions.standard(), problems).short(yaml.load("x", file="m.yaml"), f"x | {text}")
    assert not problems, problems
    assert isinstance(expr, Pipe)
    return expr


@pytest.mark.parametrize(("one", "example"), CASES, ids=[example.call for _, example in CASES])
def test_a_function_does_what_its_example_says(one: Function, example: Example) -> None:
    (made,) = call(example.call).calls
    assert made.function.name == one.name
    run = made.function.bound(made.args, dict(made.named))
    if example.gives is Refused:
        with pytest.raises((Refused, TypeError)):
            run(example.given)
        return
    found = final(run(example.given))
    assert found == example.gives
    assert type(found) is type(example.gives)


@pytest.mark.parametrize("one", STANDARD, ids=lambda one: one.name)
def test_every_function_says_what_it_does_and_shows_it(one: Function) -> None:
    assert one.doc.endswith(".")
    assert one.examples or one.context


def test_a_function_of_ones_own_is_called_like_the_others() -> None:
    mine = Functions(Functions.standard()._known)

    @function("mirror", into=mine, examples=(Example("mirror", "ab", "ba"),))
    def mirror(value: str) -> str:
        """The text backwards."""
        return value[::-1]

    found = mine.get("mirror")
    assert found is not None
    assert found.bound((), {})("abc") == "cba"
    with pytest.raises(Refused, match="needs a text, this is a number"):
        found.bound((), {})(7)


def test_a_function_without_example_or_sentence_is_not_registered() -> None:
    with pytest.raises(ValueError, match="example"):
        function("x", into=Functions())(lambda value: value)
    with pytest.raises(ValueError, match="sentence"):
        function("x", into=Functions(), examples=(Example("x", 1, 1),))(lambda value: value)


def test_a_name_is_registered_once() -> None:
    mine = Functions(Functions.standard()._known)
    with pytest.raises(ValueError, match="already"):
        function("trim", into=mine, doc="Again.", examples=(Example("trim", "a", "a"),))(lambda value: value)


def test_context_has_no_ids_unless_given() -> None:
    from landbridge.translator import MissingParent

    with pytest.raises(MissingParent, match="customer s1 has no id"):
        Context().target_id("customer", "s1")


def test_functions_come_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    from landbridge.translator import _registry

    known = dict(_registry.STANDARD._known)

    class Entry:
        def load(self) -> None:
            function("shout", examples=(Example("shout", "a", "A!"),), doc="Loud.")(lambda value: value.upper() + "!")

    asked: list[str] = []

    def found(group: str) -> list[Entry]:
        asked.append(group)
        return [Entry()]

    monkeypatch.setattr(_registry, "entry_points", found)
    _registry._load_own.cache_clear()
    try:
        assert Functions.standard().get("shout") is not None
        assert Functions.standard().get("shout") is not None  # a second look loads nothing again
        assert asked == ["landbridge.functions"]
    finally:
        _registry.STANDARD._known.clear()
        _registry.STANDARD._known.update(known)
        _registry._load_own.cache_clear()
