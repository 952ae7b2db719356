"""The page docs/cli.md: every command as its `--help` tells it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from landbridge.cli._reference._made import MADE


def cli_page() -> str:
    """Every command with its help, as `landbridge COMMAND --help` prints it."""
    import typer

    from landbridge.cli._app import EPILOG, build

    root = typer.main.get_command(build())
    parts = ["# Command line\n", MADE, f"{EPILOG}\n", _command("landbridge", root)]
    parts += [_command(f"landbridge {name}", command) for name, command in _commands(root)]
    return "\n".join(parts)


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{before}{name}", command
        yield from _commands(command, f"{before}{name} ")


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join(_name(one) if one.required else f"[{_name(one)}]" for one in arguments)
    group = " COMMAND" if getattr(command, "commands", None) else ""
    lines = [
        f"## {name}\n",
        f"```\n{name}{' [OPTIONS]' if options else ''}{f' {usage}' if usage else ''}{group}\n```\n",
    ]
    lines.append(re.sub(r"\n(?!\n)", " ", inspect.cleandoc(command.help or "")) + "\n")
    if arguments or options:
        lines += ["| | |", "|---|---|"]
        lines += [f"| `{_name(one)}` | {_cell(one.help)} |" for one in arguments]
        for one in options:
            names = ", ".join(f"`{word}`" for word in (*one.opts, *one.secondary_opts))
            variable = f" Variable: `{one.envvar}`." if one.envvar else ""
            lines.append(f"| {names} | {_cell(one.help)}{variable} |")
        lines.append("")
    return "\n".join(lines)


def _name(argument: Any) -> str:
    return str(argument.name).upper().rstrip("_")


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")
