"""Between SAP's JSON and plain bodies: dates, results, decimals; both ways, by the service's own metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.sap_s4._metadata import EntityType, Service
from landbridge.errors import Rejected
from landbridge.time import EPOCH

_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?")
_ETAG_STAMP = re.compile(r"datetimeoffset'([^']+)'")
_DATED = {"Edm.DateTime", "Edm.DateTimeOffset", "Edm.Time"}
ETAG = "@etag"


def inward(service: Service, entity_set: str, record: Mapping[str, Any], *, etags: bool = False) -> dict[str, Any]:
    """A record of a reply as a plain body: ISO dates, lists for `results`, no `__metadata`, no `__deferred`.

    With `etags` each entity's tag stands under `@etag`; keys with `@` never go back on the wire.
    """
    kind = service.sets.get(entity_set)
    body: dict[str, Any] = {}
    for name, value in record.items():
        if name == "__metadata":
            if etags and isinstance(value, Mapping) and value.get("etag"):
                body[ETAG] = value["etag"]
        elif isinstance(value, Mapping):
            if "__deferred" not in value:
                body[name] = _nested(service, kind, name, value, etags)
        elif kind is not None and isinstance(value, str) and (known := kind.properties.get(name)) is not None:
            body[name] = read_value(known.type, value) if known.type in _DATED else value
        else:
            body[name] = value
    return body


def _nested(service: Service, kind: EntityType | None, name: str, value: Mapping[str, Any], etags: bool) -> Any:
    way = kind.navigations.get(name) if kind else None
    target = way.target if way else ""
    if "results" in value:
        return [inward(service, target, child, etags=etags) for child in value["results"]]
    return inward(service, target, value, etags=etags)


def read_value(edm_type: str, value: str) -> str:
    """A date, instant or time of the wire as ISO text; what is ISO already stays."""
    if edm_type == "Edm.Time":
        found = _DURATION.fullmatch(value)
        return ":".join(f"{int(part or 0):02d}" for part in found.groups()) if found else value
    found = _DATE.fullmatch(value)
    if not found:
        return value
    moment = EPOCH + timedelta(milliseconds=int(found[1]))
    if edm_type == "Edm.DateTimeOffset":
        return instant(moment)
    return f"{moment:%Y-%m-%d}" if moment.time() == EPOCH.time() else f"{moment:%Y-%m-%dT%H:%M:%S}"


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`, fractions only where there are some."""
    moment = moment.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def etag_of(record: Mapping[str, Any]) -> str | None:
    """The entity tag of a record of a reply."""
    about = record.get("__metadata")
    return about.get("etag") if isinstance(about, Mapping) else None


def exact_stamp(body: Mapping[str, Any], field: str, etag: str | None) -> str | None:
    """The change stamp with all seven digits: JSON dates hold milliseconds only, the entity tag holds the rest."""
    plain = body.get(field)
    found = _ETAG_STAMP.search((etag or "").replace("%3A", ":"))
    if found and plain and found[1][:19] == str(plain)[:19]:
        return found[1]
    return None if plain is None else str(plain)


def outward(service: Service, entity_set: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A plain body as SAP wants it: dates in its own form, numbers as text, nothing that begins with `@`."""
    kind = service[entity_set]
    record: dict[str, Any] = {}
    for name, value in body.items():
        if name.startswith("@"):
            continue
        way = kind.navigations.get(name)
        if way is not None and not value:
            continue
        if way is not None and isinstance(value, Sequence) and not isinstance(value, str):
            record[name] = {"results": [outward(service, way.target, child) for child in value]}
        elif way is not None and isinstance(value, Mapping):
            record[name] = outward(service, way.target, value)
        else:
            known = kind.properties.get(name)
            record[name] = value if known is None else write_value(known.type, value, f"{entity_set}.{name}")
    return record


def write_value(edm_type: str, value: Any, where: str) -> Any:
    """One value as the wire's JSON wants it for this Edm type."""
    if value is None or isinstance(value, bool):
        return value
    if edm_type in {"Edm.DateTime", "Edm.DateTimeOffset"}:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return value
        moment = _moment(value, where)
        milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
        return f"/Date({milliseconds}{'+0000' if edm_type == 'Edm.DateTimeOffset' else ''})/"
    if edm_type == "Edm.Time" and isinstance(value, str) and not value.startswith("PT"):
        hours, minutes, seconds = [*value.split(":"), "00", "00"][:3]
        return f"PT{hours}H{minutes}M{seconds[:2]}S"
    if edm_type in {"Edm.Decimal", "Edm.Int64"} or (edm_type == "Edm.String" and isinstance(value, int)):
        return str(value)
    return value


def _moment(value: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Rejected(
            f"{where}: '{value}' is no date.", hint="Map it through `date` or `instant`.", sent=False
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def same(edm_type: str, left: Any, right: Any) -> bool:
    """True if SAP would hold the two values as one: numbers by value, text without trailing spaces, null as empty."""
    if left in (None, "") or right in (None, ""):
        return left in (None, "") and right in (None, "")
    if edm_type in {"Edm.Decimal", "Edm.Double", "Edm.Int64", "Edm.Int32", "Edm.Int16", "Edm.Byte"}:
        try:
            return Decimal(str(left)) == Decimal(str(right))
        except InvalidOperation:
            return False
    if edm_type in _DATED:
        return read_value(edm_type, str(left))[:19].rstrip("Z") == read_value(edm_type, str(right))[:19].rstrip("Z")
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return str(left).rstrip() == str(right).rstrip()


def same_key(left: Any, right: Any) -> bool:
    """True for one key with and without SAP's leading zeros (item `10` and `000010`)."""
    return str(left).strip().lstrip("0") == str(right).strip().lstrip("0")
