"""The reference page of the canonical model, written from the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.canonical._fields import FieldInfo
from landbridge.canonical._schemas import Canonical

_HEAD = """\
# Canonical model

What a customer, a product or an order is between the systems. One JSON Schema (2020-12) per entity in
`schemas/canonical/`, built from the shared definitions in `_shared.json`.

This page is generated from the schemas (`python -m landbridge.canonical schemas/canonical > docs/canonical.md`); a test
keeps it true.

- **Numbers** that count or cost are decimal texts (`"12.50"`), never floats. Money has a currency, a quantity has a
  unit; there is no default for either.
- **Dates** of business have no zone and are never shifted; instants have an offset.
- **Null** means "known to be empty" and is allowed in every field that is not required, except lists and `extensions`;
  a field that is left out means "not known".
- **References** are `{system, scope, entity, id}` before `resolve` and `{subject}` after.
- **A company's own fields** travel in `extensions`; any other unknown field is refused.
- **Personal** fields are masked in logs and errors. `extensions` count as personal.
- **Rounding** is declared: a percentage is taken at 2 places, each line is rounded once, half-up, at 2 places, the net
  of an order is the sum of its lines; charges (freight) and taxes stand apart.
- **The status** of an order is computed from its lines: `partly_shipped` while something may still leave, then
  `shipped`, `partly_returned` or `returned`; `cancelled` if nothing was shipped and nothing will be. `draft`, `open`,
  `confirmed` and `closed` are the source's own.
"""


def reference(canonical: Canonical) -> str:
    """The page as Markdown: for each entity a table of every field."""
    return "\n".join([_HEAD, *(line for entity in canonical.entities for line in _entity(canonical, entity))])


def _entity(canonical: Canonical, entity: str) -> Iterator[str]:
    yield f"## {entity}"
    yield ""
    yield str(canonical.schema(entity).get("description", ""))
    yield ""
    yield "| field | type | required | personal | meaning |"
    yield "|---|---|---|---|---|"
    for info in canonical.fields(entity).values():
        required, personal = ("yes" if flag else "" for flag in (info.required, info.personal))
        yield f"| `{info.path}` | {_type(info)} | {required} | {personal} | {_meaning(info)} |"
    yield ""


def _type(info: FieldInfo) -> str:
    return f"{info.type} ({info.max_length})" if info.max_length and info.type == "text" else info.type


def _meaning(info: FieldInfo) -> str:
    words = f" One of: {', '.join(f'`{word}`' for word in info.words)}." if info.words else ""
    return info.description.replace("|", "\\|") + words
