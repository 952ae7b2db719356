"""Writing to an entity set: deep inserts, changes by key, lines one by one in their own set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connectors.declarative._block import filled
from connectors.declarative._edmx import EntityType
from connectors.declarative._odata_records import ODataRecords
from connectors.declarative._odata_service import Kind, ODataLine, predicate, tag_of, unwrapped
from connectors.declarative._odata_source import view
from connectors.declarative._odata_values import sent
from connectors.declarative._rest_config import RestEntity, Update
from connectors.declarative._rest_write import RestCalls
from landbridge.connector import Delivered, LineWrite, Outcome, Write
from landbridge.errors import Conflict, Failure, OutcomeUnknown, Rejected
from landbridge.net import Reply
from landbridge.strict import json as strict_json

_GONE = frozenset({404, 410})
_SAFE = "'(),=:"
_PLACES = {"id": "{id}", "reference": "{reference}"}


class ODataCalls(RestCalls):
    """The calls of one entity that are not lists."""

    def __init__(self, line: ODataLine, kind: Kind, records: ODataRecords, what: str, change: str) -> None:
        super().__init__(line, line.errors, as_calls(kind, change), records, what)
        self._odata, self._kind = line, kind

    def _id(self, key: str) -> str:
        keys = self._kind.keys
        return self._kind.literal(keys[0], key) if len(keys) == 1 else key

    def _ours(self, reference: str) -> str:
        return self._kind.literal(str(self._kind.declared.reference), reference)

    def _address(self, path: str, values: dict[str, str]) -> str:
        """Keys stand in brackets, their quotes as they are and everything else that is not plain encoded."""
        return filled(path, {name: quote(value, safe=_SAFE) for name, value in values.items()})

    def _json(self, reply: Reply) -> Any:
        return unwrapped(reply.json())

    def _tag(self, reply: Reply) -> str | None:
        if "ETag" in reply.headers or not reply.content:
            return reply.headers.get("ETag")
        body = strict_json.loads(reply.content)
        return tag_of(body.get("d", body)) if isinstance(body, dict) else None

    def _body(self, write: Write, fields: dict[str, Any], *, whole: bool, ours: bool) -> dict[str, Any]:
        creating = write if write.target_id is None else replace(write, lines=())
        body = super()._body(creating, fields, whole=whole and write.target_id is None, ours=ours)
        lines = self._entity.lines
        if lines is not None and write.target_id is not None:
            body.pop(lines.under, None)
        elif lines is not None and lines.under in body:
            body[lines.under] = [_typed(each, self._kind.line_type, self._kind.protocol) for each in body[lines.under]]
        return _typed(body, self._kind.type, self._kind.protocol)

    def _updated(self, write: Write, call: Update, fields: dict[str, Any]) -> Outcome:
        """The header by its key, then each line that changed; half of it done is an unknown outcome."""
        done = super()._updated(write, call, fields)
        changes = [each for each in write.lines if each.action != "keep" or each.line_id is None]
        if not changes or not isinstance(done, Delivered):
            return done
        numbers = self._lines(write, changes)
        found = self._looked_up(write)
        if found is None:
            return Delivered(done.target_id, None, lines=numbers)
        return Delivered(done.target_id, found.version, lines={**numbers, **found.lines}, returned=found.returned)

    def _lines(self, write: Write, changes: list[LineWrite]) -> dict[str, str]:
        assert write.target_id is not None and self._entity.lines is not None
        held = self._held(write.target_id)
        numbers: dict[str, str] = {}
        for line in changes:
            own = self._own(line, held)
            if line.after is None:
                self._cancel(own)
            elif own is not None:
                self._line_call("PATCH", own, line.after, line)
                numbers[line.line_key] = str(own[self._entity.lines.key])
            elif line.line_id is not None:
                hint = "It was deleted there: restore it, or cancel the line."
                raise Conflict(f"{self._what} line {line.line_key}: {line.line_id} is not there any more.", hint=hint)
            else:
                self._line_call("POST", None, line.after, line, write.target_id)
        return numbers

    def _held(self, target: str) -> list[dict[str, Any]]:
        [row] = self.fetch([target])
        assert self._entity.lines is not None
        held = (row.body or {}).get(self._entity.lines.under)
        return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []

    def _own(self, line: LineWrite, held: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The line that we know by its number; a new one may stand already, by our key."""
        lines = self._entity.lines
        assert lines is not None and lines.reference is not None
        if line.line_id is not None:
            return next((each for each in held if str(each.get(lines.key)) == line.line_id), None)
        return next((each for each in held if each.get(lines.reference) == line.line_key), None)

    def _cancel(self, own: Mapping[str, Any] | None) -> None:
        if own is None:
            return
        declared = self._kind.declared.lines
        if declared is not None and declared.cancel:
            self._send("PATCH", self._line_address(own), dict(declared.cancel))
        else:
            self._send("DELETE", self._line_address(own), None)

    def _line_call(
        self, method: str, own: Mapping[str, Any] | None, after: Mapping[str, Any], line: LineWrite, parent: str = ""
    ) -> None:
        lines = self._entity.lines
        assert lines is not None
        body = _typed({**after, str(lines.reference): line.line_key}, self._kind.line_type, self._kind.protocol)
        if own is not None:
            self._send(method, self._line_address(own), body)
        else:
            path = f"{self._kind.declared.set}({{id}})/{lines.under}"
            self._send(method, self._address(path, {"id": self._id(parent)}), body)

    def _line_address(self, own: Mapping[str, Any]) -> str:
        kind = self._kind.line_type
        key = predicate(kind.keys, kind, own, self._kind.protocol)
        return f"{self._kind.line_set()}({quote(key, safe=_SAFE)})"

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        change = self._entity.update.method if method == "PATCH" and self._entity.update is not None else method
        absent = _GONE if method == "DELETE" else frozenset[int]()
        try:
            reply = self._odata.send(change, path, self._odata.errors, json=body, safe=False, absent=absent)
            if reply.content and reply.status not in absent:
                self._json(reply)  # a page of a gateway says nothing of the line
        except (Rejected, Conflict):
            raise
        except Failure as failure:  # parts of the document may stand: it is looked up, and then written as a whole
            hint = "Looked up by our reference after the settle time."
            raise OutcomeUnknown(f"{failure.message} (a line)", hint=hint, status=failure.status) from failure


def as_calls(kind: Kind, change: str) -> RestEntity:
    """The calls that OData means for a set."""
    declared, shown = kind.declared, view(kind.declared)
    one = f"{declared.set}({{id}})"
    calls: dict[str, Any] = {"fetch": {"path": one, "query": shown}, "etag": True}
    if declared.lines is not None:
        lines = declared.lines
        calls["lines"] = {"under": lines.under, "key": lines.key, "reference": lines.reference or lines.key}
    if declared.reference is not None:
        search = f"{declared.reference} eq {{reference}}"
        calls |= {
            "reference": declared.reference,
            "find": {"path": declared.set, "query": {"$filter": search, **shown}, "records": "."},
            "update": {
                "path": one,
                "method": change,
                "if_match": True,
                "body": "whole" if change == "PUT" else "changed",
            },
            "policies": declared.policies,
        }
        if declared.upsert:
            calls["upsert"] = {"path": f"{declared.set}({{reference}})", "method": "PATCH"}
        else:
            calls["create"] = {"path": declared.set}
        if declared.delete:
            calls["delete"] = {"path": one}
    else:
        calls["read"] = {"path": declared.set}
    return RestEntity.model_validate(calls)


def _typed(body: Mapping[str, Any], kind: EntityType, protocol: str) -> dict[str, Any]:
    """A body with every value as its property takes it."""
    return {
        name: sent(value, kind.properties[name].type, protocol) if name in kind.properties else value
        for name, value in body.items()
    }


def refuse_unready(kind: Kind) -> None:
    """Rejected where the declaration asks for what the set has not."""
    known = kind.type.properties
    for name in (kind.declared.stamp, kind.declared.reference):
        if name is not None and name not in known:
            raise Rejected(f"{kind.declared.set} has no property {name}.", hint=f"Known: {', '.join(sorted(known))}.")
