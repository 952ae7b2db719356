"""What `landbridge check` looks at: configuration, mappings and, if asked, the systems themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.cli._context import Context, connect
from landbridge.cli._plugged import CHECKS, plugged
from landbridge.errors import ConfigError, LandbridgeError, Problem

if TYPE_CHECKING:
    from landbridge.canonical import Canonical
    from landbridge.connector import Identity
    from landbridge.drift import Answer, Report, Used
    from landbridge.settings import Settings
    from landbridge.translator import Mapping


@dataclass(slots=True)
class Findings:
    """Problems stop everything; warnings tell what may be meant; `answers` says who answered, by system."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    answers: dict[str, Identity] = field(default_factory=dict)
    news: list[str] = field(default_factory=list)  # what changed at the systems, or was done about it
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
    _others(options, found)
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
        _ask(options, found, found.settings, {one.name: one for one in mappings})


def _others(options: Context, found: Findings) -> None:
    """What packages beside the kernel have to say of their own files."""
    canonical = _canonical(options, found.settings)
    systems = found.settings.systems.keys() if found.settings else None
    for _, check in plugged(CHECKS):
        problems, warnings = check(options.root, canonical, systems)
        found.problems += problems
        found.warnings += warnings


def _canonical(options: Context, settings: Settings | None) -> Canonical:
    from landbridge.canonical import Canonical
    from landbridge.settings import Installation

    try:
        return settings.canonical if settings else Canonical.load(options.root / Installation().schemas)
    except ConfigError:
        return Canonical({})


def _ask(options: Context, found: Findings, settings: Settings, mappings: dict[str, Mapping]) -> None:
    """Who answers at each system, what keeps the others from it, and whether their fields are what mappings think."""
    from landbridge import drift
    from landbridge.time import SystemClock
    from landbridge.translator import lint
    from landbridge.webhook import unready

    clock = SystemClock()
    found.problems += unready(settings)
    uses = drift.used(settings, lambda system, entity: _mapping(settings, mappings, system, entity))
    answers: dict[str, Answer] = {}
    for name in settings.systems:
        try:
            connector = connect(settings, name, clock)
            try:
                answer = drift.ask(connector, sorted(entity for system, entity in uses if system == name))
            finally:
                connector.close()
        except LandbridgeError as error:
            found.problems.append(Problem(_SYSTEMS, 0, 0, f"{name}: {error.message}", error.hint))
            continue
        answers[name], found.answers[name] = answer, answer.identity
        asked = [(_as_used(settings, uses[name, entity]), fields) for entity, fields in answer.fields.items()]
        report = lint([one for one, _ in asked], {one.name: fields for one, fields in asked}, drift.fed(settings, uses))
        found.problems += report.problems
        found.warnings += report.warnings
        found.problems += [Problem(_SYSTEMS, 0, 0, f"{name}: {e.message}", e.hint) for e in answer.failed.values()]
    if answers:
        _settle(options, found, uses, answers)


_SYSTEMS = "config/systems.yaml"


def _mapping(settings: Settings, mappings: dict[str, Mapping], system: str, entity: str) -> Mapping | None:
    path = settings.mapping(system, entity)
    name = path.relative_to(settings.root / "mappings").with_suffix("").as_posix() if path is not None else ""
    return mappings.get(name)


def _as_used(settings: Settings, uses: Used) -> Mapping:
    """A mapping in the directions in which flows use it."""
    from dataclasses import replace

    flows = settings.flows.values()
    read = any(flow.feed == (uses.system, uses.entity) for flow in flows)
    written = any(route.to == uses.system and route.entity == uses.entity for flow in flows for route in flow.deliver)
    one = uses.mapping
    return replace(one, inward=one.inward if read else None, outward=one.outward if written else None)


def _settle(options: Context, found: Findings, uses: dict[tuple[str, str], Used], answers: dict[str, Answer]) -> None:
    """Compare with what the store keeps, pause and resume, and tell it."""
    from landbridge import drift
    from landbridge.installation import open_installation

    with open_installation(options.root, options.environment) as installation:
        tell(found, drift.settle(installation.store, uses, answers, installation.clock))


def tell(found: Findings, report: Report) -> None:
    """What a comparison found: what stops routes is a problem in the mapping's lines, the rest is news."""
    for change in report.stopping:
        routes = change.routes
        who = f" {' and '.join(routes)} {'is' if len(routes) == 1 else 'are'} paused." if routes else ""
        for line in change.lines or (_SYSTEMS,):
            file, _, place = line.partition(":")
            number, _, column = place.partition(":")
            known = [one for one in found.problems if (one.file, one.line) == (file, int(number or 0))]
            for one in known:  # lint says the same of the same line, and not whom it stops
                if f".{change.field}" in one.message or f"'{change.field}'" in one.message:
                    found.problems.remove(one)
            message = f"{change.system}: {change.message}"
            found.problems.append(Problem(file, int(number or 0), int(column or 0), message, change.hint + who))
    found.problems += [Problem(_SYSTEMS, 0, 0, error.message, error.hint) for error in report.unreached.values()]
    found.news += [f"{change.system}: {change}" for change in report.news]
    found.news += [f"{route} runs again: what had changed for it is gone or seen to." for route in report.resumed]
    if report.again:
        found.news.append(f"{report.again} messages that came meanwhile are canonicalised again by the next run.")
