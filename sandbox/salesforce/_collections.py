"""sObject Collections: up to 200 records in one call, one result per record in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from sandbox._base import Document, Reply
from sandbox.salesforce._call import Call, answer
from sandbox.salesforce._errors import SalesforceError, not_found
from sandbox.salesforce._ids import read_id
from sandbox.salesforce._objects import find_sobject, sobject_of
from sandbox.salesforce._records import MultipleMatchesError, Records
from sandbox.salesforce._rows import external_field, shown
from sandbox.salesforce._schema import SObject

_MOST = 200
Write = Callable[[int, Any], Document]


class _RollBackError(Exception):
    """Undoes the whole collection."""


def collections(records: Records, call: Call) -> Reply:
    """Everything below /composite/sobjects."""
    rest = call.segments[2:]
    if not rest and call.method in {"POST", "PATCH"}:
        return _write(records, call, _create(records, call) if call.method == "POST" else _update(records, call))
    if not rest and call.method == "DELETE":
        ids = [each for each in call.query.get("ids", "").split(",") if each]
        return _each(records, ids, call.query.get("allOrNone", "false") == "true", _delete(records, call))
    sobject = find_sobject(rest[0]) if rest else None
    if sobject is None:
        raise not_found()
    if len(rest) == 1 and call.method in {"GET", "POST"}:
        return _retrieve(records, call, sobject)
    if len(rest) == 2 and call.method == "PATCH":
        return _write(records, call, _upsert(records, call, sobject, rest[1]))
    raise SalesforceError("METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.")


def _write(records: Records, call: Call, write: Write) -> Reply:
    given = call.document()
    rows = given.get("records")
    if not isinstance(rows, list):
        raise SalesforceError("JSON_PARSER_ERROR", "Missing value of [records]")
    return _each(records, rows, bool(given.get("allOrNone", False)), write)


def _each(records: Records, rows: list[Any], all_or_none: bool, write: Write) -> Reply:
    if len(rows) > _MOST:
        message = f"record limit reached. cannot submit more than {_MOST} records into this call"
        raise SalesforceError("EXCEEDED_ID_LIMIT", message)
    results: list[Document] = []
    try:
        with records.state.transaction():
            for place, row in enumerate(rows):
                results.append(_one(records, place, row, write))
            if all_or_none and not all(result["success"] for result in results):
                raise _RollBackError
    except _RollBackError:
        undone = SalesforceError(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
        )
        results = [result if not result["success"] else _failed(undone) for result in results]
    return answer(200, results)


def _one(records: Records, place: int, row: Any, write: Write) -> Document:
    try:
        with records.state.transaction():
            return {**write(place, row), "success": True, "errors": []}
    except SalesforceError as error:
        return _failed(error)
    except MultipleMatchesError as several:
        return _failed(several.refusal())


def _failed(error: SalesforceError) -> Document:
    return {"success": False, "errors": [error.row()]}


def _type_of(row: Any) -> SObject:
    kind = row.get("attributes", {}).get("type") if isinstance(row, dict) else None
    sobject = find_sobject(str(kind)) if kind else None
    if sobject is None:
        raise SalesforceError("INVALID_TYPE", f"sObject type '{kind}' is not supported in attributes.type")
    return sobject


def _create(records: Records, call: Call) -> Write:
    def write(place: int, row: Any) -> Document:
        sobject = _type_of(row)
        call.meet_row_lock(place)
        if any(name.lower() == "id" for name in row):
            raise SalesforceError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        return {"id": records.create(sobject, row, call.author)}

    return write


def _update(records: Records, call: Call) -> Write:
    def write(place: int, row: Any) -> Document:
        sobject = _type_of(row)
        fields = dict(row)
        keys = [name for name in fields if name.lower() == "id"]
        if not keys:
            raise SalesforceError("MISSING_ARGUMENT", "Id not specified in an update call", [])
        record_id = str(fields.pop(keys[0]))
        call.meet_row_lock(place, record_id[:15])
        found = _row_of(records, sobject, record_id)
        records.update(sobject, found["Id"], fields, call.author)
        return {"id": found["Id"]}

    return write


def _upsert(records: Records, call: Call, sobject: SObject, field_name: str) -> Write:
    field = external_field(sobject, field_name)
    given = call.document().get("records", [])
    keys = Counter(str(_key(row, field.name)).lower() for row in given if isinstance(row, dict))

    def write(place: int, row: Any) -> Document:
        if _type_of(row) is not sobject:
            raise SalesforceError("INVALID_TYPE", f"attributes.type must be {sobject.name}")
        key = _key(row, field.name)
        if key is None:
            raise SalesforceError("MISSING_ARGUMENT", f"{field.name} not specified", [])
        if keys[str(key).lower()] > 1:
            message = f"Duplicate external id specified: {key}"
            raise SalesforceError("DUPLICATE_VALUE", message, [field.name])
        call.meet_row_lock(place)
        fields = {name: value for name, value in row.items() if name.lower() != field.name.lower()}
        record_id, created = records.upsert(sobject, field, str(key), fields, call.author)
        return {"id": record_id, "created": created}

    return write


def _key(row: Document, name: str) -> Any:
    return next((value for given, value in row.items() if given.lower() == name.lower()), None)


def _delete(records: Records, call: Call) -> Write:
    def write(place: int, row: Any) -> Document:
        record_id = read_id(str(row))
        sobject = sobject_of(record_id) if record_id else None
        if record_id is None or sobject is None:
            raise SalesforceError("MALFORMED_ID", f"malformed id {row}", [])
        call.meet_row_lock(place, record_id[:15])
        records.delete(sobject, _row_of(records, sobject, record_id)["Id"], call.author)
        return {"id": record_id}

    return write


def _row_of(records: Records, sobject: SObject, record_id: str) -> Document:
    try:
        return records.existing(sobject, record_id)
    except SalesforceError as error:
        if error.code == "NOT_FOUND":
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []) from None
        raise


def _retrieve(records: Records, call: Call, sobject: SObject) -> Reply:
    """Records by id in the asked order, null where there is none."""
    if call.method == "POST":
        given = call.document()
        ids, fields = list(given.get("ids", [])), ",".join(given.get("fields", []))
        most = 2000
    else:
        ids, fields, most = call.query.get("ids", "").split(","), call.query.get("fields", ""), 800
    if not fields:
        raise SalesforceError("MISSING_ARGUMENT", "The fields parameter is required")
    if len(ids) > most:
        raise SalesforceError("EXCEEDED_ID_LIMIT", f"record limit reached. cannot retrieve more than {most} records")
    narrowed = Call(
        "GET", call.segments, {"fields": fields}, call.headers, b"", call.base, call.author
    )  # fields come from the body here
    found = (records.get(sobject.name, read_id(str(each))) for each in ids)
    return answer(200, [shown(sobject, each, narrowed) if each else None for each in found])
