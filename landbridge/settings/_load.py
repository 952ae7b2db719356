"""Reads every file of `config/` and collects every problem of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from landbridge.canonical import Canonical
from landbridge.connector import Registry
from landbridge.errors import ConfigError, Problem
from landbridge.quality import Rules, read_rules
from landbridge.settings._crosscheck import Around, check_flow, check_ownership
from landbridge.settings._files import FLOWS, flow_names, load_flow, parsed_flow
from landbridge.settings._flow import Flow
from landbridge.settings._installation import Installation
from landbridge.settings._ownership import EntityOwnership, Ownership
from landbridge.settings._pending import kept, refused
from landbridge.settings._settings import Settings
from landbridge.settings._system import System, SystemEntry
from landbridge.settings._systems import read_systems
from landbridge.strict import Node, did_you_mean, yaml

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

SYSTEMS = "config/systems.yaml"
ENVIRONMENTS = "config/environments"
OWNERSHIP = "config/ownership.yaml"
INSTALLATION = "config/landbridge.yaml"
QUALITY = "config/quality"


class _Files:
    """Reads files once, keeps their problems, and digests what it read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self._digest = hashlib.sha256()

    def read(self, name: str, *, needed: bool = False) -> Node | None:
        """The node of a file; None if it is not there or not YAML, which is a problem unless it may be absent."""
        path = self.root / name
        if not path.is_file():
            if needed:
                hint = f"A project has it; is {self.root} the project's folder?"
                self.problems.append(Problem(name, 0, 0, "this file is not there.", hint))
            return None
        try:
            content = path.read_bytes()
            self._digest.update(f"{name}\0{len(content)}\0".encode() + content)
            node = yaml.load(content, file=name)
        except OSError as error:
            self.problems.append(Problem(name, 0, 0, f"cannot be read: {error.strerror}.", "Check its rights."))
            return None
        except ConfigError as error:
            self.problems += error.problems
            return None
        if not node.is_mapping and node.value is not None:
            self.problems.append(node.problem(f"a mapping is needed here, this is {node.kind}."))
            return None
        return node

    def valid(self, node: Node | None, model: type[Model]) -> Model | None:
        """The node as the model, or None with its problems kept."""
        if node is None or node.value is None:
            return None
        try:
            return yaml.validate(node, model)
        except ConfigError as error:
            self.problems += error.problems
            return None

    @property
    def revision(self) -> str:
        """Twelve digits that change when any file changes."""
        return self._digest.hexdigest()[:12]


def load(
    root: Path, environment: str | None, registry: Registry | None, *, only: str | None, offline: bool
) -> Settings:
    """See `Settings.load`."""
    files = _Files(root)
    registry = registry or Registry()
    installation = files.valid(files.read(INSTALLATION), Installation) or Installation()
    chosen = environment or installation.environment
    flows = _flows(files, only)
    used = None if only is None else frozenset(_systems_of(flow for flow, _ in flows.values()))
    systems_node = files.read(SYSTEMS, needed=True) or Node({}, SYSTEMS, 0, 0)
    over = _environment(files, chosen, needed=environment is not None or not offline)
    systems, problems = read_systems(systems_node, over, registry, only=used, offline=offline, root=files.root)
    files.problems += problems
    if offline and environment is None:
        _other_environments(files, chosen, systems_node, registry)
    canonical = _canonical(files, installation)
    around = Around(
        root,
        _entries(systems_node),
        systems_node.keys(),
        registry,
        canonical,
    )
    warnings: list[Problem] = []
    quality = _quality(files, canonical, None if only is None else {flow.check.quality for flow, _ in flows.values()})
    for flow, node in flows.values():
        files.problems += _of_another_entity(flow, node, quality)
        files.problems += check_flow(flow, node, around)
        files.problems += refused(node)
        warnings += kept(node)
        warnings += _unheard(flow, node, systems)
    ownership = _ownership(files, around)
    if files.problems:
        raise ConfigError(list(dict.fromkeys(files.problems)))
    return Settings(
        root=root,
        environment=chosen,
        installation=installation,
        systems=systems,
        flows={name: flow for name, (flow, _) in flows.items()},
        ownership=ownership,
        canonical=canonical,
        registry=registry,
        quality=quality,
        revision=files.revision,
        warnings=tuple(sorted(warnings)),
    )


def _flows(files: _Files, only: str | None) -> dict[str, tuple[Flow, Node]]:
    if only is not None and not (files.root / FLOWS / f"{only}.yaml").is_file():
        load_flow(files.root, only)  # says which flows there are
    names = flow_names(files.root) if only is None else [only]
    found: dict[str, tuple[Flow, Node]] = {}
    declared: dict[str, str] = {}
    for stem in names:
        file = f"{FLOWS}/{stem}.yaml"
        node = files.read(file)
        if node is None:
            continue
        word = node.get("flow")
        if word is not None and isinstance(word.value, str):
            if word.value in declared:
                text = f"flow '{word.value}' is already in {declared[word.value]}."
                files.problems.append(word.problem(text, "Every flow has a name of its own."))
            declared.setdefault(word.value, file)
        try:
            found[stem] = (parsed_flow(node, stem), node)
        except ConfigError as error:
            files.problems += error.problems
    if only is None:
        files.problems += _misnamed(files.root, FLOWS)
    return found


def _misnamed(root: Path, folder: str) -> list[Problem]:
    """Files that look like flows or rules and would silently not be read."""
    hint = "Name it .yaml, or move it elsewhere."
    names = sorted(path.name for path in (root / folder).glob("*") if path.suffix in (".yml", ".json", ".YAML"))
    return [Problem(f"{folder}/{name}", 0, 0, "only *.yaml is read here.", hint) for name in names]


def _systems_of(flows: Iterable[Flow]) -> Iterator[str]:
    for flow in flows:
        yield flow.extract.source
        yield from (route.to for route in flow.deliver)


def _canonical(files: _Files, installation: Installation) -> Canonical:
    try:
        return Canonical.load(files.root / installation.schemas)
    except ConfigError as error:
        files.problems += [replace(one, file=f"{installation.schemas}/{one.file}") for one in error.problems]
        return Canonical({})


def _quality(files: _Files, canonical: Canonical, only: set[str] | None) -> dict[str, Rules]:
    """Every file of rules by its name, or those that are asked for."""
    found: dict[str, Rules] = {}
    if not canonical.entities:
        return found  # told already; without a model every column would look wrong
    for path in sorted((files.root / QUALITY).glob("*.yaml")):
        node = files.read(f"{QUALITY}/{path.name}") if only is None or path.stem in only else None
        if node is None:
            continue
        try:
            found[path.stem] = read_rules(node, path.stem, canonical)
        except ConfigError as error:
            files.problems += error.problems
    if only is None:
        files.problems += _misnamed(files.root, QUALITY)
    return found


def _of_another_entity(flow: Flow, node: Node, quality: Mapping[str, Rules]) -> Iterator[Problem]:
    rules = quality.get(flow.check.quality)
    if rules is not None and rules.entity != flow.extract.entity:
        text = f"check.quality: these are rules of {rules.entity}, and the flow carries {flow.extract.entity}."
        yield node.find(("check", "quality"))[0].problem(text, "Name rules of that entity.")


def _unheard(flow: Flow, node: Node, systems: Mapping[str, System]) -> Iterator[Problem]:
    source = systems.get(flow.extract.source)
    if flow.extract.webhook and source is not None and source.webhook is None:
        text = f"extract.webhook: {flow.extract.source} declares no `webhook`, so none is taken and it is polled only."
        yield node.find(("extract", "webhook"))[0].problem(
            text, "Say in systems.yaml how its webhooks prove themselves."
        )


def _environment(files: _Files, name: str, *, needed: bool) -> Node | None:
    file = f"{ENVIRONMENTS}/{name}.yaml"
    if needed and not (files.root / file).is_file():
        known = sorted(path.stem for path in (files.root / ENVIRONMENTS).glob("*.yaml"))
        hint = did_you_mean(name, known) or f"Known: {', '.join(known) or 'none'}."
        files.problems.append(Problem(file, 0, 0, f"environment '{name}' is not there.", hint))
        return None
    node = files.read(file)
    return node if node is not None and node.is_mapping else None


def _other_environments(files: _Files, chosen: str, systems: Node, registry: Registry) -> None:
    """Check the shape of every environment that was not chosen."""
    for path in sorted((files.root / ENVIRONMENTS).glob("*.yaml")):
        if path.stem != chosen:
            over = _environment(files, path.stem, needed=False)
            if over is not None:
                named = frozenset(over.keys())
                files.problems += read_systems(systems, over, registry, only=named, offline=True, root=files.root)[1]


def _entries(systems: Node) -> dict[str, SystemEntry]:
    """The systems as written, as far as they are right by themselves."""
    found = {}
    for name, _, node in systems.items():
        try:
            found[name] = yaml.validate(node, SystemEntry)
        except ConfigError:
            continue  # told already by read_systems
    return found


def _ownership(files: _Files, around: Around) -> Ownership:
    node = files.read(OWNERSHIP)
    if node is None:
        return Ownership({})
    found = {}
    for entity, _, rules in node.items():
        valid = files.valid(rules, EntityOwnership)
        if valid is not None:
            found[entity] = valid
    ownership = Ownership(found)
    files.problems += check_ownership(ownership, node, around)
    return ownership
