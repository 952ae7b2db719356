"""sObject rows: create, read, change, delete and upsert one record; replication by time."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from sandbox._base import Document, Reply
from sandbox.salesforce._call import Call, answer
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._query import compound
from sandbox.salesforce._records import MultipleMatchesError, Records
from sandbox.salesforce._schema import Field, SObject
from sandbox.salesforce._values import read_instant, wire


def create(records: Records, call: Call, sobject: SObject) -> Reply:
    """POST /sobjects/X."""
    given = call.document()
    call.meet_row_lock(0)
    _writable(sobject)
    if any(name.lower() == "id" for name in given):
        raise SalesforceError("INVALID_FIELD", "cannot specify Id in an insert call", ["Id"])
    record_id = records.create(sobject, given, call.author)
    location = {"Location": f"{call.base}/sobjects/{sobject.name}/{record_id}"}
    return answer(201, {"id": record_id, "success": True, "errors": []}, location)


def by_id(records: Records, call: Call, sobject: SObject, record_id: str) -> Reply:
    """GET, PATCH or DELETE /sobjects/X/id."""
    found = records.existing(sobject, record_id)
    changed = read_instant(found["LastModifiedDate"])
    if call.method == "GET":
        since = _condition(call, "if-modified-since")
        stamp = {"Last-Modified": format_datetime(changed, usegmt=True)}
        if since is not None and changed <= since:
            return answer(304, None, stamp)
        return answer(200, shown(sobject, found, call), stamp)
    if call.method not in {"PATCH", "DELETE"}:
        raise _method(call)
    until = _condition(call, "if-unmodified-since")
    if until is not None and changed > until:
        raise SalesforceError("PRECONDITION_FAILED", "The record was modified since the given time")
    call.meet_row_lock(0, found["Id"][:15])
    _writable(sobject)
    if call.method == "DELETE":
        records.delete(sobject, found["Id"], call.author)
    else:
        records.update(sobject, found["Id"], call.document(), call.author)
    return answer(204, None)


def by_external_id(records: Records, call: Call, sobject: SObject, field_name: str, value: str) -> Reply:
    """GET, PATCH (upsert) or DELETE /sobjects/X/field/value."""
    field = external_field(sobject, field_name)
    try:
        if call.method == "PATCH":
            call.meet_row_lock(0)
            _writable(sobject)
            if field.name == "Id":
                records.update(sobject, value, call.document(), call.author)
                record_id, created = records.existing(sobject, value)["Id"], False
            else:
                record_id, created = records.upsert(sobject, field, value, call.document(), call.author)
            content = {"id": record_id, "success": True, "errors": [], "created": created}
            return answer(201 if created else 200, content)
        found = records.by_external(sobject, field, value)
    except MultipleMatchesError as several:
        return answer(300, [f"{call.base}/sobjects/{sobject.name}/{each}" for each in several.ids])
    if found is None:
        raise SalesforceError("NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + value)
    if call.method == "GET":
        return answer(200, shown(sobject, found, call))
    if call.method != "DELETE":
        raise _method(call)
    records.delete(sobject, found["Id"], call.author)
    return answer(204, None)


def shown(sobject: SObject, found: Document, call: Call) -> Document:
    """A record as REST shows it; `fields=` narrows it."""
    names = list(sobject.fields)
    if wanted := call.query.get("fields"):
        names = []
        for name in wanted.split(","):
            field = sobject.find(name.strip())
            if field is None:
                message = f"\n{name.strip()}\n^\nNo such column '{name.strip()}' on entity '{sobject.name}'."
                raise SalesforceError("INVALID_FIELD", message)
            names.append(field.name)
    record: Document = {
        "attributes": {"type": sobject.name, "url": f"{call.base}/sobjects/{sobject.name}/{found['Id']}"}
    }
    for name in names:
        record[name] = compound(found, name) if sobject.fields[name].type == "address" else found.get(name)
    if wanted:
        record.setdefault("Id", found["Id"])
    return record


def external_field(sobject: SObject, name: str) -> Field:
    """A field that upsert may search by."""
    field = sobject.find(name)
    if field is None or not (field.external_id or field.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise SalesforceError("NOT_FOUND", message)
    return field


def updated(records: Records, call: Call, sobject: SObject) -> Reply:
    """GET /sobjects/X/updated: ids changed in the window and not deleted."""
    start, end = _window(call)
    where = "SystemModstamp >= ? AND SystemModstamp < ? AND +IsDeleted = 0"
    sql = f'SELECT _id FROM "{sobject.name}" WHERE {where} LIMIT 600001'
    ids = [row[0] for row in records.state.rows(sql, (wire(start), wire(end)))]
    if len(ids) > 600_000:
        raise SalesforceError("EXCEEDED_ID_LIMIT", "too many ids; ask for a shorter window")
    return answer(200, {"ids": ids, "latestDateCovered": wire(end)})


def deleted(records: Records, call: Call, sobject: SObject) -> Reply:
    """GET /sobjects/X/deleted: ids deleted in the window, with the time."""
    start, end = _window(call)
    where = "SystemModstamp >= ? AND SystemModstamp < ? AND +IsDeleted = 1"
    sql = f'SELECT _id, SystemModstamp FROM "{sobject.name}" WHERE {where} LIMIT 600001'
    rows = records.state.rows(sql, (wire(start), wire(end)))
    if len(rows) > 600_000:
        raise SalesforceError("EXCEEDED_ID_LIMIT", "too many ids; ask for a shorter window")
    gone = [{"id": record_id, "deletedDate": when} for record_id, when in rows]
    earliest = wire(call.at - timedelta(days=30))
    return answer(200, {"deletedRecords": gone, "earliestDateAvailable": earliest, "latestDateCovered": wire(end)})


def _window(call: Call) -> tuple[datetime, datetime]:
    """The asked window; Salesforce ignores its seconds."""
    try:
        # an unescaped plus in an address arrives as a space
        start, end = (
            read_instant(call.query[name].replace(" ", "+")).replace(second=0, microsecond=0)
            for name in ("start", "end")
        )
    except (KeyError, ValueError):
        raise SalesforceError("INVALID_REPLICATION_DATE", "start and end must be given as dateTime") from None
    if start >= end:
        raise SalesforceError("INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start < call.at - timedelta(days=30, minutes=1):
        raise SalesforceError("INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
    return start, min(end, call.at.replace(microsecond=0) + timedelta(seconds=1))


def _condition(call: Call, name: str) -> datetime | None:
    try:
        return parsedate_to_datetime(call.headers[name]) if name in call.headers else None
    except ValueError:
        return None


def _writable(sobject: SObject) -> None:
    if not sobject.writable:
        message = f"entity type {sobject.name} does not support create, update or delete"
        raise SalesforceError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])


def _method(call: Call) -> SalesforceError:
    message = f"HTTP Method '{call.method}' not allowed. Allowed are DELETE,GET,HEAD,PATCH"
    return SalesforceError("METHOD_NOT_ALLOWED", message)
