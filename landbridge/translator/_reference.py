"""The table of functions for docs/mappings.md, made from the registry."""

from __future__ import annotations

import json

from landbridge.translator._registry import Example, Function, Functions
from landbridge.translator._values import Refused

BEGIN = "<!-- functions: generated from the registry, `python -m landbridge.translator._reference docs/mappings.md` -->"
END = "<!-- end of functions -->"


def functions_table(functions: Functions | None = None) -> str:
    """Every function with its arguments, what it takes and gives, and examples, as a Markdown table."""
    lines = ["| function | takes → gives | what it does | examples |", "|---|---|---|---|"]
    return "\n".join([*lines, *(_row(one) for one in functions or Functions.standard())])


def _row(one: Function) -> str:
    examples = "<br>".join(_example(example) for example in one.examples) or "asks the context of the message"
    return f"| `{one.signature}` | {one.takes} → {one.returns} | {_escaped(one.doc)} | {examples} |"


def _example(example: Example) -> str:
    given = json.dumps(example.given, ensure_ascii=False)
    gives = "refused" if example.gives is Refused else f"`{_escaped(json.dumps(example.gives, ensure_ascii=False))}`"
    return f"`{_escaped(given)}` \\| `{_escaped(example.call)}` → {gives}"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def inserted(page: str) -> str:
    """The page with its table as the registry has it now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{functions_table()}\n\n{END}{after}"


if __name__ == "__main__":
    import sys
    from pathlib import Path

    file = Path(sys.argv[1])
    file.write_text(inserted(file.read_text(encoding="utf-8")), encoding="utf-8")
