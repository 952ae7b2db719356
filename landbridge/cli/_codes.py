"""`landbridge codes`: code lists and decision tables, edited while everything runs, with who, when and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli._open import actor, opened, show_table
from landbridge.cli._print import complain, counted, say, show_json
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from landbridge.codes import CodeLists, Line, Table
    from landbridge.installation import Installation

Name = Annotated[str, typer.Argument(metavar="LIST", help="The list, as `codes list` names it, such as crm/unit.")]
Native = Annotated[str | None, typer.Argument(help="A code list's native word.")]
When = Annotated[
    list[str] | None,
    typer.Option("--when", help="A decision table's input as name=word, or name=word,word; none holds for everything."),
]
From = Annotated[str | None, typer.Option("--from", help="The first day on which a code list's row holds.")]
Until = Annotated[str | None, typer.Option("--until", help="The last day on which it holds.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")]
Typed = Annotated[bool, typer.Option("--typed", help="Read words as YAML does: 1 is a number, true is true.")]
Expect = Annotated[
    int | None, typer.Option("--expect", help="Refuse if the list was edited since this version, as `show` told it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    codes = typer.Typer(no_args_is_help=True, help="Code lists and decision tables, edited at run time with history.")
    codes.command("list")(list_)
    codes.command("show")(show)
    codes.command("set")(set_)
    codes.command("remove")(remove)
    codes.command("reset")(reset)
    codes.command("history")(history)
    codes.command("export")(export)
    app.add_typer(codes, name="codes")


def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """Name every code list and decision table, with how many rows hold and how many were edited."""
    with opened(context) as installation:
        lines = [
            {"list": one.title, "rows": len(one.lines), "edited": len(_edited(one)), "version": one.version}
            for one in _lists(installation).all()
        ]
    if as_json:
        show_json(lines)
        return
    headings = ["list", "rows", "edited", "version"]
    show_table(headings, [[one[word] for word in headings] for one in lines], right=[1, 2, 3])


def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show the rows of a list that hold, who edited which, and the list's version for `--expect`."""
    with opened(context) as installation:
        lists = _lists(installation)
        table = lists.table(*lists.find(name))
    if as_json:
        rows = [line.row | {"edited_by": line.edit.actor if line.edit else None} for line in table.lines]
        show_json({"list": table.title, "version": table.version, "rows": rows})
        return
    say(f"{table.title}, version {table.version}")
    show_table(["row", "said by", "at", "because"], [_shown(line) for line in table.lines])
    for edit in table.removed:
        say(f"removed by {edit.actor} at {edit.at:%Y-%m-%d %H:%M:%S}: {_row(edit.was)} ({edit.reason})")
    for line in table.lines:
        if line.edit and line.file == line.row:
            complain(f"{_row(line.row)}: the file says so too now; `landbridge codes reset` forgets the edit.")
        elif line.edit and line.edit.was != line.file and line.file is not None:
            complain(f"{_row(line.row)}: the file was changed since and says {_row(line.file)}; the edit counts.")


def set_(
    context: typer.Context,
    name: Name,
    native: Native = None,
    canonical: Annotated[str | None, typer.Argument(help="The canonical word.")] = None,
    reason: Why = "",
    preferred: Annotated[
        bool, typer.Option("--preferred", help="The native word to write where several mean the same.")
    ] = False,
    from_: From = None,
    until: Until = None,
    when: When = None,
    then: Annotated[
        list[str] | None, typer.Option("--then", help="A decision table's output as name=word, one for each.")
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Put a new row of a decision table after the others, not in front.")
    ] = False,
    typed: Typed = False,
    expect: Expect = None,
) -> None:
    """Add or change one row: `set LIST NATIVE CANONICAL`, or `set LIST --when … --then …` for a decision table.

    It is judged as the file would be; the running engine takes it up with its next batch.
    """
    with opened(context) as installation:
        lists = _lists(installation)
        folder, list_name = lists.find(name)
        if folder == "codes":
            row: dict[str, Any] = {"native": _needed(native, typed), "canonical": _needed(canonical, typed)}
            row |= {"preferred": True} if preferred else {}
            row |= {key: value for key, value in (("from", from_), ("until", until)) if value}
        else:
            row = {"when": _pairs(when, typed, listed=True), "then": _pairs(then, typed)} | (
                {"last": True} if last else {}
            )
        _edit(lists, folder, list_name, row, "set", reason, expect)
        _passing(lists, folder, list_name)


def remove(
    context: typer.Context,
    name: Name,
    native: Native = None,
    reason: Why = "",
    from_: From = None,
    when: When = None,
    typed: Typed = False,
    expect: Expect = None,
) -> None:
    """Take one row out; the file keeps it, and it does not hold until it is set or reset."""
    with opened(context) as installation:
        lists = _lists(installation)
        folder, list_name = lists.find(name)
        _edit(lists, folder, list_name, _named(folder, native, from_, when, typed), "remove", reason, expect)


def reset(
    context: typer.Context,
    name: Name,
    native: Native = None,
    reason: Why = "",
    from_: From = None,
    when: When = None,
    typed: Typed = False,
    expect: Expect = None,
) -> None:
    """Let the file decide about one row again; what was edited stays in the history."""
    with opened(context) as installation:
        lists = _lists(installation)
        folder, list_name = lists.find(name)
        _edit(lists, folder, list_name, _named(folder, native, from_, when, typed), "reset", reason, expect)
        _passing(lists, folder, list_name)


def history(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Tell every edit of a list, newest first: who, when, why, and how the row was before."""
    with opened(context) as installation:
        lists = _lists(installation)
        found = lists.history(*lists.find(name), limit)
    told: list[dict[str, Any]] = [
        {"version": one.id, "at": one.at, "actor": one.actor, "action": one.action, "row": one.row, "was": one.was,
         "reason": one.reason}
        for one in found
    ]  # fmt: skip
    if as_json:
        show_json(told)
        return
    headings = ["version", "at", "actor", "action", "was", "row", "reason"]
    lines = [[_row(one[word]) if word in ("row", "was") else one[word] for word in headings] for one in told]
    show_table(headings, lines, right=[0])


def export(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[LIST]", help="One list; default: all that were edited.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the files of config/ in place, to be looked at and committed.")
    ] = False,
) -> None:
    """Print lists as files with their edits in them, so that they can be committed."""
    with opened(context) as installation:
        lists = _lists(installation)
        if name is not None:
            wanted = [lists.find(name)]
        else:
            wanted = [(one.folder, one.name) for one in lists.all() if _edited(one)]
        for folder, list_name in wanted:
            path, text = Path("config", folder, f"{list_name}.yaml"), lists.text(folder, list_name)
            if write:
                (installation.root / path).write_text(text, encoding="utf-8")
                say(f"{path.as_posix()} is written; commit it, then `landbridge codes reset` its rows.")
            else:
                say(f"# {path.as_posix()}\n{text}" if len(wanted) > 1 else text.rstrip("\n"))
    if not wanted:
        say("No list was edited.")


# -- what they share ---------------------------------------------------------------------------------------------------


def _lists(installation: Installation) -> CodeLists:
    from landbridge.codes import CodeLists

    return CodeLists(installation)


def _edit(
    lists: CodeLists, folder: str, name: str, row: dict[str, Any], action: str, reason: str, expected: int | None
) -> None:
    from landbridge.translator import key_of

    said = row if action == "set" else None
    version = lists.edit(
        folder, name, key_of(folder, row), action, said, actor=actor(), reason=reason, expected=expected
    )
    done = {"set": f"now {_row(row)}", "remove": f"{_row(row)} is out", "reset": f"{_row(row)} is as the file says"}
    say(f"{folder}/{name}: {done[action]}, version {version}; it holds from the next batch on.")


def _passing(lists: CodeLists, folder: str, name: str) -> None:
    passing, lacking = lists.passing(folder, name)
    if passing:
        flows = sorted({row.flow for row in passing})
        rows = " ".join(str(row.id) for row in passing[:20]) + (" …" if len(passing) > 20 else "")
        say(f"{counted(len(passing), 'row')} of {', '.join(flows)} that this list stopped would pass now.")
        say(f"hint: landbridge dead replay {rows}")
    if lacking:
        say(f"{counted(lacking, 'row')} that this list stopped would not pass yet.")


def _named(folder: str, native: str | None, from_: str | None, when: list[str] | None, typed: bool) -> dict[str, Any]:
    if folder == "codes":
        return {"native": _needed(native, typed)} | ({"from": from_} if from_ else {})
    return {"when": _pairs(when, typed, listed=True)}


def _needed(text: str | None, typed: bool) -> Any:
    if text is None:
        raise LandbridgeError("a word is missing.", hint="landbridge codes set LIST NATIVE CANONICAL --reason WHY")
    return _value(text, typed)


def _value(text: str, typed: bool) -> Any:
    from landbridge.strict import yaml

    value = yaml.load(text, file="the command line").value if typed else text
    if isinstance(value, dict | list):
        raise LandbridgeError(f"{text} is no single word.", hint="Quote it, or leave --typed out.")
    return value


def _pairs(given: list[str] | None, typed: bool, *, listed: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in given or ():
        name, equals, text = pair.partition("=")
        if not equals:
            raise LandbridgeError(f"'{pair}' is no name=word.", hint="Such as --when channel=direct.")
        words = [_value(one, typed) for one in (text.split(",") if listed else [text])]
        found[name] = words if listed else words[0]
    return found


def _edited(table: Table) -> list[Any]:
    return [line for line in table.lines if line.edit] + list(table.removed)


def _shown(line: Line) -> list[Any]:
    edit = line.edit
    return [_row(line.row), edit.actor, edit.at, edit.reason] if edit else [_row(line.row), "file", "", ""]


def _row(row: dict[str, Any] | None) -> str:
    """A row in one line, as people read it."""
    if row is None:
        return "–"
    if "when" in row:
        when = ", ".join(f"{name} {'/'.join(map(str, _many(words)))}" for name, words in row["when"].items())
        then = ", ".join(f"{name} {word}" for name, word in row.get("then", {}).items())
        return f"{when or 'anything'} → {then}" if then else when or "anything"
    days = "".join(f" {word} {row[word]}" for word in ("from", "until") if word in row)
    chosen = " (preferred)" if row.get("preferred") else ""
    return f"{row['native']} → {row['canonical']}{days}{chosen}" if "canonical" in row else f"{row['native']}{days}"


def _many(words: Any) -> list[Any]:
    return words if isinstance(words, list) else [words]
