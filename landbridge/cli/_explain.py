"""One record through the steps of a flow, without a store and without any system: for people who write mappings."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from landbridge.errors import Invalid, LandbridgeError
from landbridge.settings import Flow, Route, Settings
from landbridge.strict import json
from landbridge.translator import Context, Step, Translator


@dataclass(frozen=True, slots=True)
class Shown:
    """The message after one step; `fields` says which line wrote what, where a mapping did it."""

    step: str
    what: str
    body: Any = None
    fields: tuple[Step, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        written = [{"field": s.field, "value": s.value, "where": s.where, "from": list(s.paths)} for s in self.fields]
        return {"step": self.step, "what": self.what, "body": self.body, "fields": written}


def read_record(text: bytes) -> dict[str, Any]:
    """One native record; LandbridgeError if the text is something else."""
    record = json.loads(text)
    if not isinstance(record, dict):
        raise LandbridgeError("the file holds no record.", hint="Give one JSON object, as the system sends it.")
    return record


def explain_record(
    settings: Settings, translator: Translator, flow_name: str, native: dict[str, Any], *, creating: bool, scope: str
) -> Iterator[Shown]:
    """The message after each step; raises Invalid with every finding where a step refuses it."""
    flow = settings.flow(flow_name)
    source, entity = flow.feed
    yield Shown("extract", f"{source} {entity}, as it came", native)
    context = Context(system=source, scope=scope, now=datetime.now(UTC))
    mapping = translator.load_file(_path(settings, source, entity))
    fields = mapping.explain(native, context, direction="in")
    canonical = mapping.read(native, context)
    yield Shown("canonicalise", mapping.file, canonical, tuple(fields))
    findings = settings.canonical.findings(entity, canonical)
    if findings:
        raise Invalid(findings)
    yield Shown("check", f"valid {entity}; {_quality(settings, flow, canonical)}")
    named: dict[str, dict[str, Any]] = {}
    resolved = _resolved(canonical, named)
    yield Shown("resolve", _references(flow, named), resolved)
    for key, route in flow.routes.items():
        yield _translated(settings, translator, flow, (key, route), resolved, named, creating=creating, scope=scope)
    if not flow.routes:
        yield Shown("deliver", "to no system: the flow brings its records to the hub alone")


def _quality(settings: Settings, flow: Flow, canonical: dict[str, Any]) -> str:
    """What the quality rules of a flow say; Invalid where they would not let the message go on."""
    from landbridge.quality import Checker

    name = flow.check.quality
    if name == "none":
        return "no quality rules"
    findings = Checker(settings.quality[name])(canonical)
    held = [one for one in findings if not one.noted]
    if held and flow.check.on_fail != "warn":
        raise Invalid(held)
    noted = "; ".join(f"{one.path}: {one.message}" for one in findings)
    return f"quality rules {name}: {noted or 'nothing found'}"


def _translated(
    settings: Settings,
    translator: Translator,
    flow: Flow,
    keyed: tuple[str, Route],
    resolved: dict[str, Any],
    named: dict[str, dict[str, Any]],
    *,
    creating: bool,
    scope: str,
) -> Shown:
    from landbridge.engine._conditions import holds
    from landbridge.engine._rules import owned

    key, route = keyed
    if creating and not route.create:
        return Shown("translate", f"{key}: not delivered, it only updates what {route.to} has (see --update)")
    if not holds(resolved, route.when):
        return Shown("translate", f"{key}: not delivered, its `when` does not hold")

    def target_id(entity: str, subject: str) -> str:
        reference = named.get(subject, {})
        return f"<{route.to} id of {entity} {reference.get('id', subject)}>"

    def line_id(line_key: Any) -> str:
        return f"<{route.to} line of {line_key}>"

    rules = settings.owned(flow.extract.entity)
    body = owned(resolved, rules, flow.extract.source, target_has_it=not creating)
    context = Context(system=route.to, scope=scope, now=datetime.now(UTC), target_id=target_id)
    if not creating:
        context.line_id = line_id
    mapping = translator.load_file(_path(settings, route.to, route.entity))
    fields = mapping.explain(body, context, direction="out", creating=creating)
    written = mapping.write(body, context, creating=creating)
    return Shown("translate", f"{key}: {mapping.file}, {'create' if creating else 'update'}", written, tuple(fields))


def _path(settings: Settings, system: str, entity: str) -> Any:
    path = settings.mapping(system, entity)
    if path is None:
        raise LandbridgeError(
            f"{system} has no mapping for {entity}.", hint="`landbridge check` says where it belongs."
        )
    return path


def _resolved(canonical: dict[str, Any], named: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A copy whose references carry made-up subjects, the same for the same record; `named` says whose they are."""
    from landbridge.engine._refs import references

    body = copy.deepcopy(canonical)
    for reference in references(body):
        found = dict(reference)
        text = "/".join(str(found.get(part) or "") for part in ("system", "scope", "entity", "id"))
        subject = str(uuid5(NAMESPACE_URL, text))
        named[subject] = found
        reference.clear()
        reference.update(subject=subject, entity=found["entity"])
    return body


def _references(flow: Flow, named: dict[str, dict[str, Any]]) -> str:
    if not named:
        return "no references"
    words = (f"{one['entity']} {one['id']} ({flow.policy(one['entity'])})" for one in named.values())
    return f"subjects are made up here, for {', '.join(dict.fromkeys(words))}"
