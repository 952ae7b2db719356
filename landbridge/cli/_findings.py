"""What `landbridge check` looks at: configuration, mappings and, if asked, the systems themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from landbridge.cli._context import Context, connect
from landbridge.errors import ConfigError, LandbridgeError, Problem

if TYPE_CHECKING:
    from landbridge.canonical import Canonical
    from landbridge.connector import Connector, Fields, Identity
    from landbridge.settings import Settings
    from landbridge.translator import Mapping


@dataclass(slots=True)
class Findings:
    """Problems stop everything; warnings tell what may be meant; `answers` says who answered, by system."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    answers: dict[str, Identity] = field(default_factory=dict)
    settings: Settings | None = None
    mappings: int = 0


def look(options: Context, *, live: bool) -> Findings:
    """Everything that is wrong or doubtful, sorted and each told once."""
    found = Findings()
    try:
        found.settings = options.settings(offline=not live)
        found.warnings += found.settings.warnings
    except ConfigError as error:
        found.problems += error.problems
    _mappings(options, found, live=live)
    found.problems = sorted(set(found.problems))
    found.warnings = sorted(set(found.warnings))
    return found


def _mappings(options: Context, found: Findings, *, live: bool) -> None:
    from landbridge.translator import lint

    canonical = _canonical(options, found.settings)
    if not canonical.entities:
        return  # told by the settings already; without a model every mapping would look wrong
    translator = options.translator(canonical)
    mappings, problems = translator.try_load()
    found.mappings = len(translator.files())
    found.problems += problems
    found.problems += translator.tables.problems()
    report = lint(mappings)
    found.problems += report.problems
    found.warnings += report.warnings
    if live and found.settings is not None:
        _ask(found, found.settings, {one.name: one for one in mappings})


def _canonical(options: Context, settings: Settings | None) -> Canonical:
    from landbridge.canonical import Canonical
    from landbridge.settings import Installation

    try:
        return settings.canonical if settings else Canonical.load(options.root / Installation().schemas)
    except ConfigError:
        return Canonical({})


def _ask(found: Findings, settings: Settings, mappings: dict[str, Mapping]) -> None:
    """Who answers at each system, what keeps the others from it, and whether their fields are what mappings think."""
    from landbridge.time import SystemClock
    from landbridge.translator import lint

    for name in settings.systems:
        try:
            connector = connect(settings, name, SystemClock())
            try:
                found.answers[name] = connector.check()
                asked = list(_asked(settings, connector, mappings))
            finally:
                connector.close()
        except LandbridgeError as error:
            found.problems.append(Problem("config/systems.yaml", 0, 0, f"{name}: {error.message}", error.hint))
            continue
        report = lint([mapping for mapping, _ in asked], {mapping.name: fields for mapping, fields in asked})
        found.problems += report.problems
        found.warnings += report.warnings


def _asked(
    settings: Settings, connector: Connector[Any], mappings: dict[str, Mapping]
) -> Iterator[tuple[Mapping, Fields]]:
    """Every mapping that a flow uses there, in the directions it is used in, with the fields of its entity."""
    from dataclasses import replace

    read = {flow.extract.entity for flow in settings.flows.values() if flow.extract.source == connector.name}
    written = {route.entity for flow in settings.flows.values() for route in flow.deliver if route.to == connector.name}
    for entity in sorted(read | written):
        path = settings.mapping(connector.name, entity)
        name = path.relative_to(settings.root / "mappings").with_suffix("").as_posix() if path is not None else ""
        if name in mappings:
            one = mappings[name]
            inward = one.inward if entity in read else None
            outward = one.outward if entity in written else None
            yield replace(one, inward=inward, outward=outward), connector.describe(entity)
