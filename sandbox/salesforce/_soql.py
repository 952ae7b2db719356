"""SOQL: text to a syntax tree, refusing what Salesforce refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal as Choice

from sandbox.salesforce._errors import SalesforceError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:\\.|[^'\\])*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d(?![\dT]))
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<range>[A-Za-z_]+:\d+)
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<op><=|>=|!=|<>|=|<|>)
    | (?P<mark>[(),:])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
_RANGES = frozenset(
    {"TODAY", "YESTERDAY", "TOMORROW", "THIS_MONTH", "LAST_MONTH", "NEXT_MONTH", "THIS_YEAR", "LAST_YEAR", "NEXT_YEAR"}
    | {"LAST_N_DAYS", "NEXT_N_DAYS"}
)
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
_CLAUSES = frozenset({"WHERE", "ORDER", "LIMIT", "OFFSET", "GROUP", "FROM", "HAVING", "FOR", "ALL", "WITH", "USING"})

Kind = Choice["string", "number", "date", "datetime", "boolean", "null", "range"]


@dataclass(frozen=True)
class Literal:
    """A value in a condition; `text` is unescaped."""

    kind: Kind
    text: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Path:
    """A field, possibly through parent relationships: Account.Owner.Name."""

    names: tuple[str, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Compare:
    """field operator value; operators are = != < <= > >= LIKE."""

    path: Path
    op: str
    value: Literal


@dataclass(frozen=True)
class Among:
    """field [NOT] IN (values) or (SELECT ...)."""

    path: Path
    values: tuple[Literal, ...] | Query
    negated: bool


@dataclass(frozen=True)
class Both:
    """AND or OR over two or more conditions."""

    op: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """NOT condition."""

    part: Condition


Condition = Compare | Among | Both | Not


@dataclass(frozen=True)
class Aggregate:
    """COUNT(x) and its like; `path` None is COUNT()."""

    function: str
    path: Path | None
    alias: str | None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Every:
    """FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    which: str


@dataclass(frozen=True)
class Ordering:
    """One ORDER BY term."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A whole SELECT; `aliases` are the names the FROM clause gave the object."""

    select: tuple[Path | Aggregate | Every | Query, ...]
    source: str
    alias: str | None
    where: Condition | None
    group: tuple[Path, ...]
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int
    all_rows: bool = False
    text: str = field(default="", compare=False)
    at: int = field(default=0, compare=False)


def parse(text: str) -> Query:
    """The tree of a query, or MALFORMED_QUERY with the place."""
    return _Parser(text).whole()


def complain(code: str, query: str, at: int, message: str) -> SalesforceError:
    """An error that shows the place in the query, as Salesforce does."""
    shown = query[max(0, at - 40) : at + 40].replace("\n", " ")
    caret = " " * min(at, 40) + "^"
    return SalesforceError(code, f"\n{shown}\n{caret}\nERROR at Row:1:Column:{at + 1}\n{message}")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "name" else ""


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._place = 0

    def whole(self) -> Query:
        query = self._query()
        if self._peek.kind != "end":
            raise self._unexpected()
        return query

    def _split(self) -> list[_Token]:
        tokens, at, end = [], 0, len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                start = at + len(self._text[at:]) - len(self._text[at:].lstrip())
                raise complain(
                    "MALFORMED_QUERY", self._text, start, f"line 1:{start} no viable alternative at character"
                )
            tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return [*tokens, _Token("end", "<EOF>", end)]

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._place]

    def _next(self) -> _Token:
        token = self._tokens[self._place]
        self._place += token.kind != "end"
        return token

    def _take(self, *words: str) -> bool:
        """Consume the next tokens if they are these words or marks."""
        ahead = self._tokens[self._place : self._place + len(words)]
        if [token.word or token.text for token in ahead] != list(words):
            return False
        self._place += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected(word)

    def _unexpected(self, wanted: str = "") -> SalesforceError:
        token = self._peek
        hint = f" (expected '{wanted}')" if wanted else ""
        return complain("MALFORMED_QUERY", self._text, token.at, f"unexpected token: '{token.text}'{hint}")

    def _name(self) -> _Token:
        if self._peek.kind != "name":
            raise self._unexpected()
        return self._next()

    def _path(self) -> Path:
        token = self._name()
        return Path(tuple(token.text.split(".")), token.at)

    def _query(self) -> Query:
        at = self._peek.at
        self._expect("SELECT")
        select = [self._selected()]
        while self._take(","):
            select.append(self._selected())
        self._expect("FROM")
        source, alias = self._name().text, None
        if self._peek.kind == "name" and self._peek.word not in _CLAUSES:
            alias = self._next().text
        where = self._condition() if self._take("WHERE") else None
        group = self._paths() if self._take("GROUP", "BY") else ()
        order = self._orderings() if self._take("ORDER", "BY") else ()
        limit = self._count() if self._take("LIMIT") else None
        offset = self._count() if self._take("OFFSET") else 0
        every = self._take("ALL", "ROWS")
        if self._take("FOR"):
            self._name()
        return Query(tuple(select), source, alias, where, group, order, limit, offset, every, self._text, at)

    def _selected(self) -> Path | Aggregate | Every | Query:
        if self._take("("):
            query = self._query()
            self._expect(")")
            return query
        token = self._name()
        if not self._take("("):
            return Path(tuple(token.text.split(".")), token.at)
        return self._call(token)

    def _call(self, token: _Token) -> Aggregate | Every:
        if token.word == "FIELDS":
            which = self._name().word
            self._expect(")")
            return Every(which)
        if token.word not in AGGREGATES:
            raise complain("MALFORMED_QUERY", self._text, token.at, f"unexpected token: '{token.text}'")
        path = None if self._peek.text == ")" else self._path()
        self._expect(")")
        alias = self._next().text if self._peek.kind == "name" and self._peek.word not in _CLAUSES else None
        return Aggregate(token.word, path, alias, token.at)

    def _condition(self) -> Condition:
        """Terms joined by one kind of operator; AND and OR mixed need parentheses, as in Salesforce."""
        parts = [self._term()]
        joined = ""
        while self._peek.word in {"AND", "OR"}:
            if joined and self._peek.word != joined:
                raise self._unexpected()
            joined = self._next().word
            parts.append(self._term())
        return Both(joined, tuple(parts)) if joined else parts[0]

    def _term(self) -> Condition:
        if self._take("NOT"):
            return Not(self._term())
        if self._take("("):
            inside = self._condition()
            self._expect(")")
            return inside
        path = self._path()
        if self._take("IN"):
            return Among(path, self._among(), False)
        if self._take("NOT", "IN"):
            return Among(path, self._among(), True)
        if self._take("LIKE"):
            return Compare(path, "LIKE", self._literal())
        if self._peek.kind != "op":
            raise self._unexpected()
        op = self._next().text
        return Compare(path, "!=" if op == "<>" else op, self._literal())

    def _among(self) -> tuple[Literal, ...] | Query:
        self._expect("(")
        values: tuple[Literal, ...] | Query
        if self._peek.word == "SELECT":
            values = self._query()
        else:
            listed = [self._literal()]
            while self._take(","):
                listed.append(self._literal())
            values = tuple(listed)
        self._expect(")")
        return values

    def _literal(self) -> Literal:
        token = self._peek
        if token.kind == "string":
            self._next()
            return Literal("string", self._unescape(token), token.at)
        if token.kind in {"number", "date", "datetime"}:
            self._next()
            kinds: dict[str, Kind] = {"number": "number", "date": "date", "datetime": "datetime"}
            return Literal(kinds[token.kind], token.text, token.at)
        if token.word in {"TRUE", "FALSE", "NULL"}:
            self._next()
            return Literal("null" if token.word == "NULL" else "boolean", token.word, token.at)
        text = token.text.upper()
        if token.kind in {"range", "name"} and text.split(":")[0] in _RANGES and ("_N_" in text) == (":" in text):
            self._next()
            return Literal("range", text, token.at)
        raise self._unexpected()

    def _unescape(self, token: _Token) -> str:
        def plain(match: re.Match[str]) -> str:
            char = match[1]
            if char in "%_":
                return match[0]  # only LIKE gives these two a meaning; it takes the backslash away
            if char not in _ESCAPES:
                message = f"Invalid string literal {token.text}. Illegal character sequence '{match[0]}' in string"
                raise complain("MALFORMED_QUERY", self._text, token.at, message)
            return _ESCAPES[char] if char != "\\" else "\\\\"

        return re.sub(r"\\(.)", plain, token.text[1:-1], flags=re.DOTALL)

    def _paths(self) -> tuple[Path, ...]:
        paths = [self._path()]
        while self._take(","):
            paths.append(self._path())
        return tuple(paths)

    def _orderings(self) -> tuple[Ordering, ...]:
        orderings = []
        while True:
            path = self._path()
            descending = not self._take("ASC") and self._take("DESC")
            last = not self._take("NULLS", "FIRST") and self._take("NULLS", "LAST")
            orderings.append(Ordering(path, descending, last))
            if not self._take(","):
                return tuple(orderings)

    def _count(self) -> int:
        token = self._peek
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected()
        self._next()
        return int(token.text)


def plain_text(literal: Literal) -> str:
    """The text of a string literal outside LIKE."""
    return re.sub(r"\\([\\%_])", r"\1", literal.text)
