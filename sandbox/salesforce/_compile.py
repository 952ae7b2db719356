"""Turns the tree of a query into SQL over the stored documents, checking every field and value on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox._base.state import quoted
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._ids import read_id
from sandbox.salesforce._objects import SOBJECTS, find_sobject
from sandbox.salesforce._schema import NUMERIC, TEXTUAL, Field, SObject
from sandbox.salesforce._soql import Among, Both, Compare, Condition, Literal, Not, Ordering, Path, Query, complain
from sandbox.salesforce._soql import plain_text as _plain
from sandbox.salesforce._values import read_instant, wire


@dataclass
class Scope:
    """One FROM clause while it is compiled: the object, the joins its paths need, the parameters in order."""

    query: Query
    sobject: SObject
    today: date
    alias: str = "t"
    joins: dict[tuple[str, ...], tuple[str, SObject, str]] = field(default_factory=dict)
    params: list[Any] = field(default_factory=list)

    def resolve(self, path: Path) -> tuple[str, Field, tuple[str, ...]]:
        """(table alias, field, relationship names) of a path; INVALID_FIELD if there is no such column."""
        names = list(path.names)
        if len(names) > 1 and names[0].lower() in {(self.query.alias or "").lower(), self.sobject.name.lower()} - {""}:
            names = names[1:]
        sobject, alias, steps = self.sobject, self.alias, ()  # type: tuple[SObject, str, tuple[str, ...]]
        for name in names[:-1]:
            link = sobject.parents.get(name.lower())
            if link is None:
                message = (
                    f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
                    "relationship, be sure to append the '__r' after the custom relationship name. Please reference "
                    "your WSDL or the describe call for the appropriate names."
                )
                raise complain("INVALID_FIELD", self.query.text, path.at, message)
            steps = (*steps, str(link.relationship))
            alias = self._join(steps, alias, link)
            sobject = SOBJECTS[str(link.references)]
        found = sobject.find(names[-1])
        if found is None:
            message = (
                f"No such column '{names[-1]}' on entity '{sobject.name}'. If you are attempting to use a custom "
                "field, be sure to append the '__c' after the custom field name. Please reference your WSDL or "
                "the describe call for the appropriate names."
            )
            raise complain("INVALID_FIELD", self.query.text, path.at, message)
        return alias, found, steps

    def expression(self, path: Path, *, filtering: bool = True) -> tuple[str, Field]:
        """The SQL of a field."""
        alias, found, _ = self.resolve(path)
        if filtering and not found.filterable:
            message = f"field '{found.name}' can not be filtered in a query call"
            raise complain("INVALID_FIELD", self.query.text, path.at, message)
        return column(alias, found), found

    def from_clause(self) -> str:
        """FROM with the joins collected so far."""
        joins = "".join(
            f" LEFT JOIN {quoted(sobject.name)} {alias} ON {alias}._id = {on}"
            for alias, sobject, on in self.joins.values()
        )
        return f"FROM {quoted(self.sobject.name)} {self.alias}{joins}"

    def _join(self, steps: tuple[str, ...], alias: str, link: Field) -> str:
        if steps not in self.joins:
            joined = f"{self.alias}j{len(self.joins)}"
            self.joins[steps] = (joined, SOBJECTS[str(link.references)], column(alias, link))
        return self.joins[steps][0]


def scope_of(query: Query, today: date, sobject: SObject | None = None, alias: str = "t") -> Scope:
    """Begin a FROM clause; INVALID_TYPE if there is no such object."""
    found = sobject or find_sobject(query.source)
    if found is None:
        message = (
            f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, be sure to "
            "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        raise complain("INVALID_TYPE", query.text, query.at, message)
    return Scope(query, found, today, alias)


def column(alias: str, found: Field) -> str:
    """The SQL of one field of one table."""
    if found.name == "Id":
        return f"{alias}._id"
    if found.indexed:
        return f"{alias}.{quoted(found.name)}"
    plain = f"json_extract({alias}._doc, '$.{found.name}')"
    return f"{plain} COLLATE NOCASE" if found.type in TEXTUAL else plain


def condition(scope: Scope, node: Condition) -> str:
    """The SQL of a condition; like SOQL it knows only true and false, never unknown."""
    if isinstance(node, Both):
        return "(" + f" {node.op} ".join(condition(scope, part) for part in node.parts) + ")"
    if isinstance(node, Not):
        return f"NOT {_total(condition(scope, node.part))}"
    if isinstance(node, Among):
        return _among(scope, node)
    return _compare(scope, node)


def order_by(scope: Scope, orderings: tuple[Ordering, ...]) -> str:
    """The SQL of ORDER BY; nulls come first unless told otherwise."""
    terms = []
    for each in orderings:
        sql, found = scope.expression(each.path)
        term = f"{sql} DESC" if each.descending else sql
        if not found.required and found.type not in {"id", "boolean"} and each.descending != each.nulls_last:
            term += " NULLS LAST" if each.nulls_last else " NULLS FIRST"
        terms.append(term)
    return " ORDER BY " + ", ".join(terms) if terms else ""


def _total(sql: str) -> str:
    return f"coalesce({sql}, 0)"


def _compare(scope: Scope, node: Compare) -> str:
    sql, found = scope.expression(node.path)
    if node.value.kind == "range":
        return _range(scope, sql, found, node)
    if node.op == "LIKE":
        if found.type not in TEXTUAL or node.value.kind != "string":
            raise _misfit(scope, node.path, found, "string", quoted_value=True)
        scope.params.append(node.value.text)
        return f"{sql} LIKE ? ESCAPE '\\'"
    value = read_value(scope, node.path, found, node.value)
    if value is None and node.op not in {"=", "!="}:
        return "0"
    scope.params.append(value)
    operator = {"=": "IS", "!=": "IS NOT"}.get(node.op, node.op)
    return f"{sql} {operator} ?"


def _among(scope: Scope, node: Among) -> str:
    sql, found = scope.expression(node.path)
    if isinstance(node.values, Query):
        inside = _semi_join(scope, node.values)
        test = f"{sql} IN ({inside})"
    else:
        values = [read_value(scope, node.path, found, value) for value in node.values]
        known = [value for value in values if value is not None]
        scope.params.extend(known)
        test = f"{sql} IN ({', '.join('?' * len(known))})"
        if len(known) < len(values):
            test = f"({test} OR {sql} IS NULL)"
    return f"NOT {_total(test)}" if node.negated else test


def _semi_join(scope: Scope, query: Query) -> str:
    inner = scope_of(query, scope.today, alias=f"{scope.alias}s")
    if len(query.select) != 1 or not isinstance(query.select[0], Path):
        raise complain("MALFORMED_QUERY", query.text, query.at, "semi join sub-selects query exactly one field")
    selected, found = inner.expression(query.select[0])
    if found.type not in {"id", "reference"}:
        message = f"field '{found.name}' in a semi join sub-select must be an id or a reference"
        raise complain("INVALID_FIELD", query.text, query.at, message)
    where = condition(inner, query.where) if query.where else "1"
    scope.params.extend(inner.params)
    kept = f"+{inner.alias}.IsDeleted = 0 AND {selected} IS NOT NULL"
    return f"SELECT {selected} {inner.from_clause()} WHERE {where} AND {kept}"


def read_value(scope: Scope, path: Path, found: Field, literal: Literal) -> Any:
    """The literal as it is stored in this field, or the refusal Salesforce gives for its type."""
    if literal.kind == "null":
        return None
    kind, text = found.type, literal.text
    if kind in TEXTUAL:
        if literal.kind != "string":
            raise _misfit(scope, path, found, "string", quoted_value=True)
        return _plain(literal) or None
    if kind in {"id", "reference"}:
        record_id = read_id(_plain(literal)) if literal.kind == "string" else None
        if record_id is None and _plain(literal):
            message = f"invalid ID field: {text}"
            raise complain("INVALID_QUERY_FILTER_OPERATOR", scope.query.text, literal.at, message)
        return record_id
    if kind in NUMERIC:
        if literal.kind != "number":
            raise _misfit(scope, path, found, "double")
        return float(text)
    if kind == "boolean":
        if literal.kind != "boolean":
            raise _misfit(scope, path, found, "boolean")
        return int(text == "TRUE")
    if literal.kind != kind:
        raise _misfit(scope, path, found, "dateTime" if kind == "datetime" else kind)
    try:
        return wire(read_instant(text)) if kind == "datetime" else date.fromisoformat(text).isoformat()
    except ValueError:
        raise complain("MALFORMED_QUERY", scope.query.text, literal.at, f"Invalid date: {text}") from None


def _misfit(scope: Scope, path: Path, found: Field, kind: str, *, quoted_value: bool = False) -> SalesforceError:
    should = "should be enclosed" if quoted_value else "should not be enclosed"
    message = f"value of filter criterion for field '{found.name}' must be of type {kind} and {should} in quotes"
    return complain("INVALID_FIELD", scope.query.text, path.at, message)


def _range(scope: Scope, sql: str, found: Field, node: Compare) -> str:
    if found.type not in {"date", "datetime"}:
        raise _misfit(scope, node.path, found, found.type)
    first, after = _days(node.value.text, scope.today)
    low, high = (_day(found, each) for each in (first, after))
    tests = {
        "=": (f"({sql} >= ? AND {sql} < ?)", [low, high]),
        "!=": (f"NOT coalesce({sql} >= ? AND {sql} < ?, 0)", [low, high]),
        "<": (f"{sql} < ?", [low]),
        "<=": (f"{sql} < ?", [high]),
        ">": (f"{sql} >= ?", [high]),
        ">=": (f"{sql} >= ?", [low]),
    }
    if node.op not in tests:
        raise complain("MALFORMED_QUERY", scope.query.text, node.value.at, f"unexpected token: '{node.value.text}'")
    test, params = tests[node.op]
    scope.params.extend(params)
    return test


def _day(found: Field, day: date) -> str:
    return day.isoformat() if found.type == "date" else wire(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _days(text: str, today: date) -> tuple[date, date]:
    """The first day of a named range and the day after its last."""
    name, _, count = text.partition(":")
    if name == "LAST_N_DAYS":
        return today - timedelta(days=int(count)), today + timedelta(days=1)
    if name == "NEXT_N_DAYS":
        return today + timedelta(days=1), today + timedelta(days=int(count) + 1)
    if shift := {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}.get(name):
        today += timedelta(days=shift)
    if re.match(r"TODAY|YESTERDAY|TOMORROW", name):
        return today, today + timedelta(days=1)
    move = {"LAST": -1, "THIS": 0, "NEXT": 1}[name.split("_")[0]]
    if name.endswith("YEAR"):
        return date(today.year + move, 1, 1), date(today.year + move + 1, 1, 1)
    month = today.year * 12 + today.month - 1 + move
    return date(month // 12, month % 12 + 1, 1), date((month + 1) // 12, (month + 1) % 12 + 1, 1)
