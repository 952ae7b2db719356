"""The operations of the service over its records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from sandbox._base import Clock, Collection, Document, State
from sandbox.soap._envelope import NAMESPACE, Element, SoapError
from sandbox.soap._records import instant, read, written

KINDS = {"party": "parties", "order": "orders"}
_PREFIX = {"party": "P", "order": "O"}
_LARGEST = 1000


class Trade:
    """Parties and orders; every operation takes its element and gives the response's."""

    def __init__(self, state: State, clock: Clock, company: str) -> None:
        self._state, self._clock, self._company = state, clock, company
        self._searches: dict[str, tuple[str, list[str]]] = {}
        for collection in KINDS.values():
            state.define(
                Collection(collection, ("changedAt", "externalRef"), indexes=(("changedAt", "_id"),),
                           unique=(("externalRef",),))
            )  # fmt: skip
        self.operations: dict[str, Callable[[Element, str], Element]] = {
            "WhoAmI": self._who,
            "DeleteParty": self._delete,
            "CancelOrder": self._cancel,
        }
        for kind, plural in (("party", "Parties"), ("order", "Orders")):
            name = kind.capitalize()
            for operation, act in {
                f"Find{plural}": self._find,
                f"Get{plural}": self._get,
                f"Find{name}ByReference": self._by_reference,
                f"Save{name}": self._save,
            }.items():
                self.operations[operation] = _of(act, kind)

    def stamp(self) -> str:
        """The present moment as change stamps tell it: whole seconds."""
        return self._clock.now().replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")

    def put(self, kind: str, given: Document) -> tuple[Document, bool]:
        """Create or change one record: by id, else by the reference of the caller, else anew."""
        collection = KINDS[kind]
        with self._state.transaction():
            held = self._held(kind, given)
            created = held is None
            record = dict(held or {"version": 0})
            if created:
                number = self._state.next_number(collection, start=1001)
                record["id"] = f"{_PREFIX[kind]}{number:08d}"
            if kind == "order":
                given = {**given, **self._lines(record, given)}
            record |= {name: value for name, value in given.items() if name not in ("id", "changedAt")}
            if kind == "party" and not str(record.get("name") or "").strip():
                raise SoapError("REQUIRED", "name is required", "name")
            record |= {"version": record["version"] + 1, "changedAt": given.get("changedAt") or self.stamp()}
            record.pop("deleted", None)
            self._state.put(collection, record["id"], record)
        return record, created

    def _held(self, kind: str, given: Document) -> Document | None:
        if given.get("id"):
            held = self._state.get(KINDS[kind], given["id"])
            if held is None or held.get("deleted"):
                raise SoapError("NOT_FOUND", f"There is no {kind} {given['id']}", "id")
            return held
        if given.get("externalRef"):
            found = self._state.find(KINDS[kind], "externalRef = ?", (given["externalRef"],))
            return found[0] if found else None
        return None

    def _lines(self, record: Document, given: Document) -> Document:
        """The lines as they stand after a save: those that are given, each with its number."""
        if "lines" not in given:
            return {}
        known = {line.get("lineRef"): line["id"] for line in record.get("lines", []) if line.get("lineRef")}
        made = []
        for line in given["lines"]:
            number = line.get("id") or known.get(line.get("lineRef"))
            made.append({**line, "id": number or f"L{self._state.next_number('lines'):08d}"})
        return {"lines": made}

    def remove(self, kind: str, key: str) -> None:
        """Delete one record; it stays in the feed as deleted, without its reference."""
        with self._state.transaction():
            held = self._state.get(KINDS[kind], key)
            if held is None or held.get("deleted"):
                raise SoapError("NOT_FOUND", f"There is no {kind} {key}", "id")
            gone = {**held, "deleted": True, "externalRef": None, "version": held["version"] + 1}
            self._state.put(KINDS[kind], key, {**gone, "changedAt": self.stamp()})

    def _who(self, element: Element, user: str) -> Element:
        response = Element(f"{{{NAMESPACE}}}WhoAmIResponse")
        _text(response, "company", self._company)
        _text(response, "user", user)
        return response

    def _find(self, kind: str, element: Element) -> Element:
        size = min(_number(element, "pageSize", 100), _LARGEST)
        response = Element(element.tag + "Response")
        cursor = element.findtext(f"{{{NAMESPACE}}}cursor")
        if cursor is not None:
            token, keys = self._searching(kind, element, cursor, size)
            records = [held for key in keys if (held := self._state.get(KINDS[kind], key)) is not None]
            _text(response, "total", str(len(self._searches[cursor.partition(":")[0]][1]) if ":" in cursor else 0))
            if token:
                _text(response, "cursor", token)
        else:
            where, params = _since(element)
            offset = _number(element, "offset", (_number(element, "page", 1) - 1) * size)
            records = self._state.find(KINDS[kind], where, params, order="changedAt, _id", limit=size, offset=offset)
            _text(response, "total", str(self._state.count(KINDS[kind], where, params)))
        response.extend(written(kind, record) for record in records)
        return response

    def _searching(self, kind: str, element: Element, cursor: str, size: int) -> tuple[str, list[str]]:
        """A search that is kept: `*` begins one, `number:position` goes on."""
        if cursor in ("*", ""):
            where, params = _since(element)
            found = self._state.find(KINDS[kind], where, params, order="changedAt, _id")
            name, at = f"s{len(self._searches) + 1}", 0
            self._searches[name] = (kind, [record["id"] for record in found])
        else:
            name, _, position = cursor.partition(":")
            if name not in self._searches or not position.isdecimal():
                raise SoapError("CURSOR", "The cursor has expired", "cursor")
            at = int(position)
        keys = self._searches[name][1]
        end = at + size
        return (f"{name}:{end}" if end < len(keys) else ""), keys[at:end]

    def forget_searches(self) -> None:
        """Let every kept search expire."""
        self._searches.clear()

    def _get(self, kind: str, element: Element) -> Element:
        response = Element(element.tag + "Response")
        for child in element:
            held = self._state.get(KINDS[kind], child.text or "")
            if held is not None:
                response.append(written(kind, held))
        return response

    def _by_reference(self, kind: str, element: Element) -> Element:
        response = Element(element.tag + "Response")
        wanted = element.findtext(f"{{{NAMESPACE}}}externalRef") or ""
        for record in self._state.find(KINDS[kind], "externalRef = ?", (wanted,)):
            response.append(written(kind, record))
        return response

    def _save(self, kind: str, element: Element) -> Element:
        given = element.find(f"{{{NAMESPACE}}}{kind}")
        if given is None:
            raise SoapError("REQUIRED", f"{kind} is required", kind)
        values = read(kind, given)
        expected = element.findtext(f"{{{NAMESPACE}}}expectedVersion")
        held = self._held(kind, values)
        if expected is not None and held is not None and str(held["version"]) != expected:
            raise SoapError("STALE", f"The {kind} has version {held['version']}", "expectedVersion")
        record, created = self.put(kind, {**values, "changedAt": None})
        response = Element(element.tag + "Response")
        _text(response, "created", "true" if created else "false")
        response.append(written(kind, record))
        return response

    def _delete(self, element: Element, user: str) -> Element:
        self.remove("party", element.findtext(f"{{{NAMESPACE}}}id") or "")
        return Element(element.tag + "Response")

    def _cancel(self, element: Element, user: str) -> Element:
        key = element.findtext(f"{{{NAMESPACE}}}id") or ""
        held = self._state.get("orders", key)
        if held is None:
            raise SoapError("NOT_FOUND", f"There is no order {key}", "id")
        self.put("order", {"id": key, "status": "cancelled"})
        return Element(element.tag + "Response")


def _of(act: Callable[[str, Element], Element], kind: str) -> Callable[[Element, str], Element]:
    return lambda element, user: act(kind, element)


def _since(element: Element) -> tuple[str, tuple[Any, ...]]:
    text = element.findtext(f"{{{NAMESPACE}}}changedSince")
    if text is None:
        return "", ()
    moment = instant(text).astimezone(tz=None).utctimetuple()
    return "changedAt >= ?", (f"{moment.tm_year:04d}-{moment.tm_mon:02d}-{moment.tm_mday:02d}T"
                              f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}Z",)  # fmt: skip


def _number(element: Element, name: str, default: int) -> int:
    text = element.findtext(f"{{{NAMESPACE}}}{name}")
    if text is None:
        return default
    if not text.isdecimal():
        raise SoapError("INVALID_VALUE", f"{name} is no number", name)
    return int(text)


def _text(parent: Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = text
