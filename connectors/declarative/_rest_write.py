"""Writing to a REST API by the declared calls, and looking up what stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.declarative._block import filled
from connectors.declarative._errors import ErrorMap
from connectors.declarative._line import Line
from connectors.declarative._records import Records
from connectors.declarative._rest_config import Create, Delete, Fetch, Find, RestEntity, Update, Upsert
from landbridge.connector import Delivered, Found, LineWrite, Outcome, Row, Write
from landbridge.errors import Conflict, Failure, OutcomeUnknown, Rejected
from landbridge.net import Reply
from landbridge.translator import Place

_GONE = frozenset({404, 410})


class RestCalls:
    """The calls of one entity that are not lists."""

    def __init__(self, line: Line, errors: ErrorMap, entity: RestEntity, records: Records, what: str) -> None:
        self._line, self._errors, self._entity, self._records, self._what = line, errors, entity, records, what

    # --- one record

    def fetch(self, ids: Sequence[str]) -> list[Row]:
        """Records by id as they are now; those that are not there as `delete`."""
        declared = self._entity.fetch
        if declared is None:
            raise Rejected(f"{self._what} cannot be fetched by id.", hint="Say `fetch` of the entity.", sent=False)
        wanted = list(dict.fromkeys(ids))
        there: dict[str, Row] = {}
        for chunk in _chunks(wanted, declared.batch if declared.several else 1):
            for record, version in self._fetched(declared, chunk):
                [row], _ = self._records.rows([record])
                row.version = version or row.version
                there[row.key] = row
        return [there.get(key) or Row(key, None, action="delete") for key in wanted]

    def _fetched(self, declared: Fetch, ids: list[str]) -> Iterator[tuple[Any, str | None]]:
        values = {"id": self._id(ids[0]), "ids": ",".join(ids)}
        reply = self._get(declared.path, declared.query, values, listed=declared.records is not None)
        if reply.status in _GONE:
            return
        body = self._json(reply)
        if declared.records is None:
            yield self._one(body, declared.record, reply), self._tag(reply)
            return
        found = Place(declared.records).of(body)
        if not isinstance(found, list):
            raise Rejected(f"{self._what}: no list stands at '{declared.records}'.", hint="Look at `fetch.records`.")
        for record in found:
            if self._records.key(record) in ids:
                yield record, None

    def find(self, reference: str) -> Found | None:
        """The record that carries our reference, compared here once more, letter by letter."""
        declared = self._entity.find
        if declared is None:
            return self._found_by_upsert_path(reference)
        record = self._sought(declared, reference)
        return None if record is None else self._found(record)

    def _sought(self, declared: Find, reference: str) -> Any:
        listed = declared.records is not None
        reply = self._get(declared.path, declared.query, {"reference": self._ours(reference)}, listed=listed)
        if reply.status in _GONE:
            return None
        body = self._json(reply)
        found = Place(declared.records).of(body) if declared.records else [self._one(body, declared.record, reply)]
        if not isinstance(found, list):
            raise Rejected(f"{self._what}: no list stands at '{declared.records}'.", hint="Look at `find.records`.")
        held = [self._records.reference(record) for record in found]
        if reference in held:
            return found[held.index(reference)]
        if any(each is None or each.casefold() != reference.casefold() for each in held):
            hint = "The search has no effect there: look at `find` and `reference`; else every order is made twice."
            raise Rejected(f"{self._what}: records came that do not carry the reference asked for.", hint=hint)
        return None

    def _found_by_upsert_path(self, reference: str) -> Found | None:
        """`PUT customers/{reference}` is where `GET` finds it, too."""
        upsert = self._entity.upsert
        if upsert is None or "{reference}" not in upsert.path:
            hint = "Say `find` of the entity: the search by our reference."
            raise Rejected(f"{self._what} cannot be found by our reference.", hint=hint, sent=False)
        reply = self._get(upsert.path, upsert.query, {"reference": self._ours(reference)})
        if reply.status in _GONE:
            return None
        return self._found(self._one(self._json(reply), upsert.record or ".", reply), self._tag(reply))

    def _found(self, record: Any, tag: str | None = None) -> Found:
        key, version = self._records.key(record), tag or self._records.version(record)
        if version is None and self._entity.etag and self._entity.fetch is not None:
            [row] = self.fetch([key])
            version = row.version
        return Found(key, version, self._records.line_numbers(record), record)

    def _get(self, path: str, query: dict[str, str], values: dict[str, str], *, listed: bool = False) -> Reply:
        """Ask; that a record is not there is an answer, that a list is not there is an error of the declaration."""
        params = {name: filled(text, values) for name, text in query.items()}
        address = self._address(path, values)
        return self._line.send("GET", address, self._errors, params=params, absent=frozenset() if listed else _GONE)

    def _id(self, key: str) -> str:
        """A record's id as an address says it."""
        return key

    def _ours(self, reference: str) -> str:
        """Our reference as an address or a search says it."""
        return reference

    def _address(self, path: str, values: dict[str, str]) -> str:
        return filled(path, values, in_path=True)

    def _json(self, reply: Reply) -> Any:
        return reply.json()

    def _one(self, body: Any, at: str, reply: Reply) -> Any:
        record = Place(at).of(body)
        if not isinstance(record, dict):
            raise reply.garbled(f"no record at '{at}'")
        return record

    def _tag(self, reply: Reply) -> str | None:
        return reply.headers.get("ETag") if self._entity.etag else None

    # --- writes

    def write(self, write: Write) -> Outcome:
        """Do one write; what went wrong is the outcome."""
        try:
            return self._written(write)
        except Failure as failure:
            return failure

    def _written(self, write: Write) -> Outcome:
        if write.action == "delete":
            return self._deleted(write)
        if write.target_id is None:
            return self._made(write)
        if self._entity.update is not None:
            return self._updated(write, self._entity.update, write.changed if write.before is not None else write.after)
        if self._entity.upsert is not None:
            return self._made(write)
        raise self._no("update")

    def _made(self, write: Write) -> Outcome:
        call: Create | Upsert | None = self._entity.upsert or self._entity.create
        if call is None:
            raise self._no("create")
        body = self._body(write, write.after, whole=True, ours=True)
        reply = self._call(call, write, body)
        made = self._answered(call, write, reply)
        created = write.target_id is None and (reply.status == 201 or isinstance(call, Create))
        return Delivered(made.target_id, made.version, created, made.lines, made.returned)

    def _updated(self, write: Write, call: Update, fields: dict[str, Any]) -> Outcome:
        assert write.target_id is not None
        whole = call.body == "whole"
        body = self._body(write, write.after if whole else fields, whole=whole, ours=write.before is None)
        if not body and not whole:
            return Delivered(write.target_id, write.expected)
        headers = {"If-Match": write.expected} if call.if_match and write.expected else {}
        reply = self._call(call, write, body, headers, absent=_GONE)
        if reply.status in _GONE:
            hint = "It was deleted there: restore it, or unlink it with `landbridge xref`."
            raise Conflict(f"{self._what}: {write.target_id} is not there any more.", ours=write.changed, hint=hint)
        return self._answered(call, write, reply)

    def _deleted(self, write: Write) -> Outcome:
        target, policy = write.target_id, write.policy or "delete"
        if policy == "ignore" or target is None:
            return Delivered(target or "")
        if policy in self._entity.policies:
            if self._entity.update is None:
                raise self._no("update")
            fields = dict(self._entity.policies[policy])
            if policy != "reject_lines":  # a record that is blocked keeps its lines: their end was not asked for
                kept = (replace(each, action="keep", after=each.before) for each in write.lines if each.before)
                write = replace(write, lines=tuple(kept))
            if self._entity.update.body == "whole":  # what the record is, with what the policy sets
                write = replace(write, after={**(write.before or {}), **write.after, **fields})
            return self._updated(write, self._entity.update, fields)
        if policy != "delete":
            hint = f"Say `policies: {{{policy}: {{field: value}}}}` of the entity, or another `on_delete`."
            raise Rejected(f"{self._what}: nothing says what '{policy}' sets.", hint=hint, sent=False)
        if self._entity.delete is None:
            raise self._no("delete")
        reply = self._call(self._entity.delete, write, None, absent=_GONE)
        if reply.content and reply.status not in _GONE:
            self._json(reply)  # a page of a gateway says nothing of the record
        return Delivered(target)

    def _body(self, write: Write, fields: dict[str, Any], *, whole: bool, ours: bool) -> dict[str, Any]:
        body = deepcopy(fields)
        if ours and self._entity.reference is not None:
            Place(self._entity.reference).put(body, write.reference)
        lines = self._entity.lines
        if write.lines and lines is None:
            hint = "Say `lines` of the entity."
            raise Rejected(f"{self._what}: the document has lines, its declaration has none.", hint=hint, sent=False)
        if lines is not None and (whole or any(each.action != "keep" for each in write.lines)):
            Place(lines.under).put(body, [made for each in write.lines if (made := self._one_line(each)) is not None])
        return body

    def _one_line(self, line: LineWrite) -> dict[str, Any] | None:
        lines = self._entity.lines
        assert lines is not None
        if line.after is None and not (lines.cancel and line.line_id is not None):
            return None  # left out of the whole: cancelled
        made = deepcopy(line.after) if line.after is not None else dict(lines.cancel)
        if lines.reference is not None:
            Place(lines.reference).put(made, line.line_key)
        if line.line_id is not None:
            number = int(line.line_id) if lines.number and line.line_id.isdigit() else line.line_id
            Place(lines.key).put(made, number)
        return made

    def _call(
        self,
        call: Create | Upsert | Update | Delete,
        write: Write,
        body: dict[str, Any] | None,
        headers: dict[str, str] | None = None,
        absent: frozenset[int] = frozenset(),
    ) -> Reply:
        values = {"id": self._id(write.target_id) if write.target_id else "", "reference": self._ours(write.reference)}
        sent = {name: filled(text, values) for name, text in call.headers.items()} | (headers or {})
        if call.idempotency is not None:
            sent[call.idempotency] = write.key
        wrapped: Any = body
        if body is not None and call.wrap is not None:
            wrapped = {}
            Place(call.wrap).put(wrapped, body)
        params = {name: filled(text, values) for name, text in call.query.items()}
        address = self._address(call.path, values)
        return self._line.send(
            call.method, address, self._errors, params=params, json=wrapped, headers=sent, safe=False, absent=absent
        )

    def _answered(self, call: Create | Upsert | Update, write: Write, reply: Reply) -> Delivered:
        """What the reply says that stands; without a body what we know, or what a look-up finds."""
        body = self._json(reply) if reply.content else None
        record = Place(call.record or call.wrap or ".").of(body) if body is not None else None
        record = record if isinstance(record, dict) and self._whole(record, write) else None
        if record is not None:
            version = self._tag(reply) or self._records.version(record)
            lines = self._records.line_numbers(record)
            return Delivered(self._records.key(record), version, lines=lines, returned=record)
        target = write.target_id or self._told_id(call, body, reply)
        if target is not None and not write.lines:
            return Delivered(target, self._tag(reply))
        found = self._looked_up(write)
        if found is None:
            hint = "Say `id`, `record` or `location` of the call, where the new id stands, or `find`."
            raise OutcomeUnknown(f"{reply.what} answered {reply.status} without an id.", hint=hint)
        return Delivered(found.target_id, self._tag(reply) or found.version, lines=found.lines, returned=found.returned)

    def _whole(self, record: dict[str, Any], write: Write) -> bool:
        """Whether a reply holds the record with its key, and with its lines where lines were written."""
        lines = self._entity.lines
        if write.lines and lines is not None and not isinstance(Place(lines.under).of(record), list):
            return False
        try:
            self._records.key(record)
        except Rejected:
            return False
        return True

    def _told_id(self, call: Create | Upsert | Update, body: Any, reply: Reply) -> str | None:
        if call.id is not None:
            held = Place(call.id).of(body)
            if isinstance(held, (str, int)) and not isinstance(held, bool) and str(held):
                return str(held)
        if call.location and (location := reply.headers.get("Location")):
            return unquote(urlsplit(location).path.rstrip("/").rpartition("/")[2]) or None
        return None

    def _looked_up(self, write: Write) -> Found | None:
        """What stands after a write whose reply did not say it; it was sent, so that a failure here is no refusal."""
        try:
            return self._asked(write)
        except Failure as failure:
            hint = "Looked up by our reference after the settle time."
            raise OutcomeUnknown(f"{failure.message} (after the write)", hint=hint, status=failure.status) from failure

    def _asked(self, write: Write) -> Found | None:
        if write.target_id is not None and self._entity.fetch is not None:
            [row] = self.fetch([write.target_id])
            if row.body is not None:
                return Found(row.key, row.version, self._records.line_numbers(row.body), row.body)
        if self._entity.find is not None or self._entity.upsert is not None:
            return self.find(write.reference)
        return None

    def _no(self, operation: str) -> Rejected:
        hint = f"Say `{operation}` of the entity, or take the route out."
        return Rejected(f"{self._what}: nothing says how to {operation} it.", hint=hint, sent=False)


def _chunks(values: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
