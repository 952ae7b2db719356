"""`landbridge test` and `landbridge explain`: what a mapping does, shown and held to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._context import Context, of
from landbridge.cli._print import counted, say, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.cli._explain import Shown
    from landbridge.translator import Mapping, Result


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("test")(test)
    app.command("explain")(explain)


def test(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these mappings: a product, or product/entity. Default: all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Run the tests that stand inside the mapping files."""
    from landbridge.canonical import Canonical
    from landbridge.settings import Installation
    from landbridge.translator import run_tests

    options = of(context)
    canonical = Canonical.load(options.root / Installation().schemas)
    mappings = _chosen(options, canonical, names or [])
    results = [result for mapping in mappings for result in run_tests(mapping, canonical)]
    if as_json:
        show_json([_as_dict(result) for result in results])
    else:
        _show(results, mappings)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def _chosen(options: Context, canonical: Any, names: Sequence[str]) -> list[Mapping]:
    from landbridge.errors import ConfigError, Problem
    from landbridge.strict import did_you_mean

    translator = options.translator(canonical)
    paths = {path.relative_to(translator.root).with_suffix("").as_posix(): path for path in translator.files()}
    wanted = [name.removeprefix("mappings/").removesuffix(".yaml").rstrip("/") for name in names]
    for name in wanted:
        if not any(path == name or path.startswith(f"{name}/") for path in paths):
            hint = did_you_mean(name, [*paths, *{path.partition("/")[0] for path in paths}])
            raise ConfigError([Problem(f"mappings/{name}", 0, 0, "there is no such mapping.", hint)])
    chosen = [
        path
        for key, path in paths.items()
        if not wanted or any(key == name or key.startswith(f"{name}/") for name in wanted)
    ]
    return translator.load(chosen)


def _show(results: Sequence[Result], mappings: Sequence[Mapping]) -> None:
    failed = [result for result in results if not result.passed]
    for result in failed:
        say(str(result))
    untested = [mapping.name for mapping in mappings if not mapping.tests]
    if untested:
        say(f"without tests: {', '.join(untested)}")
    say(f"{counted(len(results), 'test')} of {counted(len(mappings), 'mapping')}: {_passed(results, failed)}.")


def _passed(results: Sequence[Result], failed: Sequence[Result]) -> str:
    if not results:
        return "none was run"
    return f"{len(failed)} failed" if failed else "all passed"


def _as_dict(result: Result) -> dict[str, Any]:
    return {
        "mapping": result.mapping,
        "name": result.name,
        "direction": result.direction,
        "file": result.file,
        "line": result.line,
        "passed": result.passed,
        "differences": list(result.differences),
    }


def explain(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    record: Annotated[Path, typer.Argument(help="A file with one native record as JSON; - reads standard input.")],
    update: Annotated[
        bool, typer.Option("--update", help="As if the target had the record already; otherwise it is created.")
    ] = False,
    scope: Annotated[str, typer.Option("--scope", help="The organisation that the record is numbered in.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the bodies as JSON.")] = False,
) -> None:
    """Print a message after each step of a flow: every value with the line that wrote it. Nothing is contacted."""
    from landbridge.cli._explain import explain_record, read_record

    options = of(context)
    settings = options.settings(only=flow, offline=True)
    text = sys.stdin.buffer.read() if str(record) == "-" else _bytes(record)
    translator = options.translator(settings.canonical)
    steps = explain_record(settings, translator, flow, read_record(text), creating=not update, scope=scope)
    if as_json:
        show_json([step.as_dict() for step in steps])
        return
    for step in steps:
        _show_step(step)


def _bytes(path: Path) -> bytes:
    from landbridge.errors import LandbridgeError

    try:
        return path.read_bytes()
    except OSError as error:
        raise LandbridgeError(
            f"{path} cannot be read: {error.strerror}.", hint="Name a file with one record."
        ) from None


def _show_step(step: Shown) -> None:
    from landbridge.strict import json

    say(f"── {step.step}  {step.what}")
    width = min(44, max((len(one.field) for one in step.fields), default=0))
    for one in step.fields:
        value = json.dumps(one.value).decode()
        source = f"  ← {', '.join(one.paths)}" if one.paths else ""
        say(f"   {one.field:<{width}}  {value if len(value) <= 60 else value[:59] + '…'}{source}  ({one.where})")
    if not step.fields and step.body is not None:
        say(f"   {json.dumps(step.body).decode()}")
    say()
