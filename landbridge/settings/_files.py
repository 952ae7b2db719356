"""The files of `config/`: where they are, and reading one flow without anything else."""

from __future__ import annotations

from pathlib import Path

from landbridge.errors import ConfigError, Problem
from landbridge.settings._flow import Flow
from landbridge.strict import Node, did_you_mean, yaml

FLOWS = "config/flows"


def flow_names(root: Path) -> list[str]:
    """The names of the flows, sorted: the stems of `config/flows/*.yaml`. Reads no file."""
    return sorted(path.stem for path in (root / FLOWS).glob("*.yaml"))


def load_flow(root: Path, name: str) -> Flow:
    """One flow from its own file, checked for itself only: what a DAG is made of, within milliseconds."""
    path = root / FLOWS / f"{name}.yaml"
    if not path.is_file():
        names = flow_names(root)
        hint = did_you_mean(name, names) or f"Known: {', '.join(names) or 'none'}."
        raise ConfigError([Problem(f"{FLOWS}/{name}.yaml", 0, 0, f"flow '{name}' is not there.", hint)])
    return parsed_flow(yaml.load_file(path, root=root), name)


def parsed_flow(node: Node, stem: str) -> Flow:
    """The flow in a file's node; ConfigError with its problems, a name unlike the file's among them."""
    problems: list[Problem] = []
    word = node.get("flow")
    if word is not None and isinstance(word.value, str) and word.value != stem:
        text = f"flow: '{word.value}' is not the name of its file."
        problems.append(word.problem(text, f"Write '{stem}', or rename the file to {word.value}.yaml."))
    try:
        flow = yaml.validate(node, Flow)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from None
    if problems:
        raise ConfigError(problems)
    return flow
