"""docs/normalisers.md, made of the registry: what every normaliser promises, and examples that a test runs."""

from __future__ import annotations

from mdm.declaration import Value
from mdm.normalise._registry import NORMALISERS

_HEAD = """# Normalisers

<!-- made by `python -m mdm.normalise > docs/normalisers.md`; do not edit -->

A normaliser makes two spellings of one value equal, or says that a value tells nothing. Columns of
`config/mdm/<entity>.yaml` name them in order, such as `name | company` or
`normalise: phone(addresses.country)`; see [matching](matching.md).

- An argument is a field beside the value, a path of the record such as `addresses.country`, or a country's code (`DE`).
- A value that says nothing counts as none before any normaliser sees it: `n/a`, `-`, `无`, `test@test.com`,
  `000000000`, one sign repeated, `123456789` and the like; `placeholders:` of the declaration adds more.
- A normaliser that refuses a value (a bad check digit, no date, an impossible phone number) makes it none.
- The words they know, such as legal forms, short forms of banks and places, stand in `mdm/normalise/words.yaml`.

| name | what it makes | examples |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = []
    for one in sorted(NORMALISERS.values(), key=lambda one: one.name):
        name = f"{one.name}({', '.join(one.arguments)})" if one.arguments else one.name
        examples = "<br>".join(f"`{_cell(given)}` → {_told(wanted)}" for given, wanted in one.examples)
        rows.append(f"| `{name}` | {_cell(one.summary)} | {examples} |\n")
    return _HEAD + "".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").strip()


def _told(value: Value | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{_cell(one)}`" for one in value)
    return f"`{_cell(str(value))}`"
