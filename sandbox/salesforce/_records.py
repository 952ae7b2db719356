"""The records of the org: create, update, upsert, delete and merge, each with Salesforce's checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox._base import Document, State
from sandbox._base.state import quoted
from sandbox.salesforce._errors import SalesforceError, not_found
from sandbox.salesforce._ids import make_id, read_id
from sandbox.salesforce._objects import CHILDREN, SOBJECTS, sobject_of
from sandbox.salesforce._rules import before_save, cents, line_total
from sandbox.salesforce._schema import Field, SObject
from sandbox.salesforce._values import coerce, wire


@dataclass(frozen=True)
class Author:
    """Who writes and when; `trusted` is the org's own people and seeds, who may set what the API may not."""

    user: str
    at: datetime
    trusted: bool = False


class Records:
    """All records over one State."""

    def __init__(self, state: State, pod: str) -> None:
        self.state = state
        self._pod = pod
        self.saved: Callable[[SObject, Document], None] = lambda sobject, record: None  # told of what was saved
        for sobject in SOBJECTS.values():
            state.define(sobject.collection())

    def get(self, sobject: str, record_id: str | None) -> Document | None:
        """A record that is not deleted, or None."""
        found = self.state.get(sobject, record_id) if record_id else None
        return None if found is None or found["IsDeleted"] else found

    def find(self, sobject: str, field: str, value: Any, *, limit: int = 2) -> list[Document]:
        """Records that are not deleted and hold this value in an indexed field."""
        return self.state.find(sobject, f"{quoted(field)} = ? AND IsDeleted = 0", (value,), limit=limit)

    def existing(self, sobject: SObject, text: str) -> Document:
        """The record with this id in either spelling; NOT_FOUND or ENTITY_IS_DELETED otherwise."""
        record_id = read_id(text)
        if record_id is None:
            raise SalesforceError("MALFORMED_ID", f"{sobject.name} ID: id value of incorrect type: {text}", ["Id"])
        found = self.state.get(sobject.name, record_id)
        if found is None:
            raise not_found()
        if found["IsDeleted"]:
            raise SalesforceError("ENTITY_IS_DELETED", "entity is deleted", [])
        return found

    def create(self, sobject: SObject, given: Document, author: Author) -> str:
        """Insert one record; returns its id."""
        values = self._accept(sobject, given, author, creating=True)
        record_id = values.pop("Id", None) or self._new_ids(sobject, 1)[0]
        new = {"Id": record_id, "IsDeleted": False, **self._defaults(sobject), **_stamps(author), **_filled(values)}
        if "OwnerId" in sobject.fields:
            new.setdefault("OwnerId", author.user)
        self._require(sobject, new)
        self._refer(sobject, new, values)
        before_save(self, sobject, new, None, trusted=author.trusted)
        self._unique(sobject, new, values)
        self._number(sobject, new)
        self.state.put(sobject.name, record_id, new)
        self._roll_up(sobject, new, None, author)
        self.saved(sobject, new)
        return record_id

    def update(self, sobject: SObject, record_id: str, given: Document, author: Author) -> None:
        """Change the given fields; null clears one."""
        old = self.existing(sobject, record_id)
        values = self._accept(sobject, given, author, creating=False)
        merged = {**old, **_stamps(author, created=False), **values}
        new = _filled(merged)
        self._require(sobject, new)
        self._refer(sobject, new, values)
        before_save(self, sobject, new, old, trusted=author.trusted)
        self._unique(sobject, new, values)
        self.state.put(sobject.name, old["Id"], new)
        self._roll_up(sobject, new, old, author)
        self.saved(sobject, new)

    def upsert(self, sobject: SObject, field: Field, value: str, given: Document, author: Author) -> tuple[str, bool]:
        """Create or update by external id; returns (id, created). Found twice is MultipleMatches."""
        if any(name.lower() in {field.name.lower(), "id"} for name in given):
            message = f"The {field.name} field should not be specified in the sobject data."
            raise SalesforceError("INVALID_FIELD", message)
        found = self.by_external(sobject, field, value)
        if found is None:
            return self.create(sobject, {**given, field.name: value}, author), True
        self.update(sobject, found["Id"], given, author)
        return found["Id"], False

    def by_external(self, sobject: SObject, field: Field, value: str) -> Document | None:
        """The one record with this external id, or None; two of them are MultipleMatches."""
        found = self.find(sobject.name, field.name, coerce(sobject.name, field, value), limit=10)
        if len(found) > 1:
            raise MultipleMatchesError(sobject, field, [each["Id"] for each in found])
        return found[0] if found else None

    def delete(self, sobject: SObject, record_id: str, author: Author, *, master: str | None = None) -> None:
        """Put a record and what hangs on it into the recycle bin."""
        old = self.existing(sobject, record_id)
        self._release(sobject, old, author)
        new = {**old, "IsDeleted": True, **_stamps(author, created=False)}
        if master is not None:
            new["MasterRecordId"] = master
        self.state.put(sobject.name, old["Id"], new)
        self._roll_up(sobject, new, old, author)

    def merge(self, sobject: SObject, master_id: str, loser_id: str, author: Author) -> None:
        """Give the loser's children to the master, then delete the loser with MasterRecordId pointing there."""
        master, loser = self.existing(sobject, master_id), self.existing(sobject, loser_id)
        for child in CHILDREN[sobject.name]:
            if child.field == "MasterRecordId":
                continue
            for each in self.find(child.sobject, child.field, loser["Id"], limit=-1):
                moved = {**each, child.field: master["Id"], **_stamps(author, created=False)}
                self.state.put(child.sobject, each["Id"], moved)
        self.state.put(sobject.name, master["Id"], {**master, **_stamps(author, created=False)})
        self.delete(sobject, loser["Id"], author, master=master["Id"])

    def load(self, sobject: SObject, rows: Iterable[Document], author: Author, *, chunk: int = 5000) -> Iterator[str]:
        """Insert seeds fast: types and defaults as always, but no look-up of references, duplicates or price books."""
        waiting: list[Document] = []
        for given in rows:
            waiting.append(given)
            if len(waiting) == chunk:
                yield from self._load(sobject, waiting, author)
                waiting = []
        yield from self._load(sobject, waiting, author)

    def _load(self, sobject: SObject, rows: list[Document], author: Author) -> list[str]:
        ids = iter(self._new_ids(sobject, len(rows)))
        stamps, defaults, loaded = _stamps(author), self._defaults(sobject), []
        known: dict[str, Document] = {}
        with self.state.transaction():
            for given in rows:
                values = self._accept(sobject, given, author, creating=True)
                fresh = next(ids)
                new = {"Id": fresh, "IsDeleted": False, **defaults, **stamps, **_filled(values)}
                if "OwnerId" in sobject.fields:
                    new.setdefault("OwnerId", author.user)
                if sobject.name in {"OrderItem", "PricebookEntry"}:
                    self._inherit(sobject, new, values, known)
                else:
                    before_save(self, sobject, new, None, trusted=True)
                self._require(sobject, new)
                self._number(sobject, new)
                loaded.append((new["Id"], new))
            self.state.put_many(sobject.name, loaded)
            if sobject.name == "OrderItem":
                for order in dict.fromkeys(new["OrderId"] for _, new in loaded):
                    self._total(order, None)
        return [record_id for record_id, _ in loaded]

    def _inherit(self, sobject: SObject, new: Document, values: Document, known: dict[str, Document]) -> None:
        """What a seeded line or price takes over from the records it hangs on; `known` are those seen lately."""

        def of(name: str) -> Document:
            record_id = new.get(name)
            if record_id is None:
                return {}
            if record_id not in known:
                known[record_id] = self.state.get(sobject.fields[name].references or "", record_id) or {}
            return known[record_id]

        if sobject.name == "PricebookEntry":
            product = of("Product2Id")
            new.update(_filled({"Name": product.get("Name"), "ProductCode": product.get("ProductCode")}))
            return
        entry = of("PricebookEntryId")
        inherited = {"Product2Id": entry.get("Product2Id"), "ListPrice": entry.get("UnitPrice")}
        if "CurrencyIsoCode" not in values:
            inherited["CurrencyIsoCode"] = of("OrderId").get("CurrencyIsoCode")
        new.update(_filled(inherited))
        new.setdefault("TotalPrice", line_total(new))

    def _new_ids(self, sobject: SObject, count: int) -> list[str]:
        first = self.state.next_number(f"id:{sobject.name}", take=count) if count else 0
        return [make_id(sobject.prefix, self._pod, first + step) for step in range(count)]

    def _accept(self, sobject: SObject, given: Document, author: Author, *, creating: bool) -> Document:
        """Known, writable fields with stored values; relationship names with an external id become references."""
        values: Document = {}
        refused = []
        for name, raw in given.items():
            if name == "attributes":
                continue
            field, value = sobject.fields.get(name) or sobject.find(name), raw
            if field is None and isinstance(raw, dict) and name.lower() in sobject.parents:
                field = sobject.parents[name.lower()]
                value = self._by_foreign_key(field, raw)
            if field is None or field.type == "address":
                raise SalesforceError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
            if not author.trusted and not (field.createable if creating else field.updateable):
                refused.append(field.name)
                continue
            values[field.name] = coerce(sobject.name, field, value)
        if refused:
            message = (
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set."
            )
            raise SalesforceError("INVALID_FIELD_FOR_INSERT_UPDATE", message, refused)
        return values

    def _by_foreign_key(self, field: Field, given: Document) -> str:
        target = SOBJECTS[str(field.references)]
        keys = [name for name in given if name != "attributes"]
        key = target.find(keys[0]) if len(keys) == 1 else None
        if key is None or not (key.external_id or key.name == "Id"):
            message = f"The relationship for {field.name} needs exactly one external id field of {target.name}"
            raise SalesforceError("INVALID_FIELD", message, [field.name])
        value = given[keys[0]]
        found = self.find(target.name, key.name, coerce(target.name, key, value)) if key.external_id else []
        if len(found) != 1:
            message = f"Foreign key external ID: {value} not found for field {key.name} in entity {target.name}"
            raise SalesforceError("INVALID_FIELD", message, [])
        record_id: str = found[0]["Id"]
        return record_id

    def _defaults(self, sobject: SObject) -> Document:
        return {field.name: field.default for field in sobject.declared if field.default is not None}

    def _require(self, sobject: SObject, new: Document) -> None:
        _missing([field.name for field in sobject.declared if field.required and new.get(field.name) is None])

    def _refer(self, sobject: SObject, new: Document, values: Document) -> None:
        for name in values:
            field = sobject.fields[name]
            target = new.get(name)
            if field.type != "reference" or target is None:
                continue
            kind = sobject_of(target)
            if kind is None or kind.name != field.references:
                message = f"{field.label}: id value of incorrect type: {target}"
                raise SalesforceError("MALFORMED_ID" if kind is None else "FIELD_INTEGRITY_EXCEPTION", message, [name])
            found = self.state.get(kind.name, target)
            if found is None:
                raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [name])
            if found["IsDeleted"] and name != "MasterRecordId":
                raise SalesforceError("ENTITY_IS_DELETED", "entity is deleted", [name], status=400)

    def _unique(self, sobject: SObject, new: Document, values: Document) -> None:
        for name in values:
            if not sobject.fields[name].unique or new.get(name) is None:
                continue
            for other in self.find(sobject.name, name, new[name]):
                if other["Id"] != new["Id"]:
                    message = f"duplicate value found: {name} duplicates value on record with id: {other['Id'][:15]}"
                    raise SalesforceError("DUPLICATE_VALUE", message, [])

    def _number(self, sobject: SObject, new: Document) -> None:
        for field in sobject.declared:
            if field.auto and not new.get(field.name):
                number = self.state.next_number(f"auto:{sobject.name}.{field.name}", start=100)
                new[field.name] = field.auto.format(number)

    def _release(self, sobject: SObject, old: Document, author: Author) -> None:
        """Do to the children what their reference says: go with the parent, hold it back, or let go."""
        for child in CHILDREN[sobject.name]:
            if child.field == "MasterRecordId":
                continue
            for each in self.find(child.sobject, child.field, old["Id"], limit=-1):
                if child.on_delete == "restrict":
                    message = (
                        f"Your attempt to delete {old.get('Name', old['Id'])} could not be completed because it is "
                        f"associated with the following {child.sobject} records.: {each['Id'][:15]}"
                    )
                    raise SalesforceError("DELETE_FAILED", message, [])
                if child.on_delete == "cascade":
                    self.delete(SOBJECTS[child.sobject], each["Id"], author)
                else:
                    cleared = {**each, **_stamps(author, created=False)}
                    del cleared[child.field]
                    self.state.put(child.sobject, each["Id"], cleared)

    def _roll_up(self, sobject: SObject, new: Document, old: Document | None, author: Author) -> None:
        """A line that changes the order's total touches the order, as roll-ups do; any other line change does not."""
        if sobject.name == "OrderItem" and (old is None or _counted(old) != _counted(new)):
            self._total(new["OrderId"], author)

    def _total(self, order_id: str, author: Author | None) -> None:
        order = self.get("Order", order_id)
        if order is None:
            return
        lines = self.state.rows(
            "SELECT json_extract(_doc, '$.TotalPrice') FROM OrderItem WHERE OrderId = ? AND IsDeleted = 0", (order_id,)
        )
        total = cents(sum((Decimal(str(price)) for (price,) in lines), Decimal(0)))
        if total != order.get("TotalAmount"):
            stamps = _stamps(author, created=False) if author else {}
            self.state.put("Order", order_id, {**order, **stamps, "TotalAmount": total})


class MultipleMatchesError(Exception):
    """An external id that is not unique was found on several records: HTTP 300 with their addresses."""

    def __init__(self, sobject: SObject, field: Field, ids: list[str]) -> None:
        super().__init__(f"{sobject.name}.{field.name}: found {len(ids)} times")
        self.sobject, self.field, self.ids = sobject, field, ids

    def refusal(self) -> SalesforceError:
        """The same as a row's error, where no address list fits."""
        message = f"{self.field.name}: more than one record found for external id field: {self.ids}"
        return SalesforceError("DUPLICATE_EXTERNAL_ID", message, [self.field.name])


def _filled(values: Document) -> Document:
    return {name: value for name, value in values.items() if value is not None}


def _counted(line: Document) -> tuple[Any, Any]:
    return line["TotalPrice"], line["IsDeleted"]


def _missing(names: list[str]) -> None:
    if names:
        message = f"Required fields are missing: [{', '.join(names)}]"
        raise SalesforceError("REQUIRED_FIELD_MISSING", message, names)


def _stamps(author: Author, *, created: bool = True) -> Document:
    at = wire(author.at)
    stamps = {"LastModifiedDate": at, "LastModifiedById": author.user, "SystemModstamp": at}
    return {"CreatedDate": at, "CreatedById": author.user, **stamps} if created else stamps
