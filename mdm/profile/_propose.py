"""From columns that were seen to a declaration: normalisers, comparisons and identifiers by what each column holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mdm.declaration import Call, Column, Comparison, Identifier, Level, Scoring
from mdm.profile._kinds import CHECKED, Kind, Seen

EXACT = Level("exact")
_NAME = (EXACT, Level("jaro_winkler", 0.92), Level("jaro_winkler", 0.8))
_WHOLE = (EXACT, Level("jaro_winkler", 0.92), Level("contains", 5), Level("jaro_winkler", 0.8))
"""Names of several words: `the katsu` and `restaurant the katsu` are often one."""
_COMPANY = (EXACT, Level("jaro_winkler", 0.94), Level("jaro_winkler", 0.88), Level("jaro_winkler", 0.8))
_EDITS = (EXACT, Level("damerau_levenshtein", 1), Level("damerau_levenshtein", 2))
_EDIT = (EXACT, Level("damerau_levenshtein", 1))
_RULES: dict[Kind, tuple[str, tuple[Level, ...], bool]] = {
    "e-mail": ("email", _EDIT, False),
    "web address": ("domain", (EXACT,), True),
    "phone": ("digits", _EDIT, False),
    "date": ("date", _EDITS, False),
    "code": ("code", _EDITS, False),
    "postal code": ("postcode", _EDIT, True),
    "house number": ("digits", _EDIT, False),
    "category": ("fold", (EXACT,), False),
    "company": ("company", _COMPANY, True),
    "person": ("fold", _NAME, True),
    "street": ("fold", (EXACT, Level("jaro_winkler", 0.92), Level("jaro_winkler", 0.82)), True),
    "place": ("fold", (EXACT, Level("jaro_winkler", 0.9)), True),
    "text": ("fold", (EXACT, Level("jaro_winkler", 0.92), Level("jaro_winkler", 0.8)), True),
    "title": ("fold", (EXACT, Level("jaro_winkler", 0.92), Level("jaro_winkler", 0.8)), True),
    "year": ("digits", _EDIT, True),
    "number": ("number", (Level("ratio", 0.02), Level("ratio", 0.2)), False),
    "uscc": ("uscc", _EDIT, False),
    "vat": ("vat", _EDIT, False),
    "lei": ("lei", _EDIT, False),
    "gtin": ("gtin", (EXACT,), False),
    "iban": ("iban", _EDIT, False),
}  # fmt: skip
"""Normaliser, levels, and whether rare values weigh more; kinds that are not here are not compared."""
PARTY: frozenset[Kind] = frozenset(
    {
        "e-mail",
        "phone",
        "date",
        "postal code",
        "house number",
        "company",
        "person",
        "street",
        "uscc",
        "vat",
        "lei",
        "iban",
    }
)
"""What people and companies have, and products do not."""
BY_NAME: frozenset[Kind] = frozenset({"date", "postal code", "house number"})
"""Of these the ones that small numbers and days are taken for: what a column is called must say so too."""
WORDS = 1.3
"""Words per value from which on one of two names may hold the other."""
SAME = 20.0
LONG = 4.5
"""Words per value from which on texts are compared by their words, and not by their beginnings."""
SEVERAL, VARIED = 2, 0.25
"""Words per value, and different values for one of the title, from which on a text beside it is compared so too."""
BRAND = 0.8
"""The share of repeated values from which on a short text is a class, such as a brand."""
ONE_OF_TWO = 0.55
"""The likeness at which one of several such texts speaks for neither."""
A_TITLE = 0.25
"""The same where it is the only one."""
MOSTLY = 0.95
SHARED = 0.5
"""The share of values that two files must have in common, for a kind or a class of theirs to be compared."""
ALONE = 0.5
"""The likeness at which two names, and nothing else, speak for neither."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A declaration without its blocks and thresholds; `why` tells of every column what it was taken for."""

    scoring: Scoring
    columns: tuple[Column, ...]
    comparisons: tuple[Comparison, ...]
    identifiers: tuple[Identifier, ...]
    why: dict[str, str]
    left: tuple[Seen, ...]
    """Columns that are not compared."""
    blocked: tuple[Column, ...] = ()
    """Columns that may bring records together, and are not compared."""


def drafted(found: Sequence[Seen]) -> Draft:
    """The draft of a declaration for these columns."""
    titles = [one for one in found if one.kind in ("title", "text", "description", "person", "place", "company")]
    rest = [one for one in found if one not in titles]
    party = sum(one.kind in PARTY for one in rest)
    heavy = [one for one in titles if one.words >= 3 and one.codes >= 0.25]
    if heavy and not party:
        return _titles(found, heavy, [])
    named = any(one.kind in ("person", "company") for one in titles)
    party = sum(one.kind in PARTY and (one.kind not in BY_NAME or one.why == "by its name") for one in rest)
    long = [one for one in titles if one.kind in ("title", "text", "description") and one.words >= LONG]
    if long and not party and not named:
        short = [one for one in long if one.kind != "description"] or long
        title = max(short, key=lambda one: (one.kind == "title", one.filled > MOSTLY, one.distinct))
        return _titles(found, [title], [one for one in titles if one is not title and _tells(one, title)])
    compared = [one for one in found if one.kind in _RULES]
    if len(compared) == 1 and compared[0].kind in ("company", "person", "text", "title", "place"):
        return _names_alone(compared[0], [one for one in found if one is not compared[0]])
    return _parties(found)


def _tells(one: Seen, title: Seen) -> bool:
    """Whether a text tells records apart as the title does: authors do, publishers do not."""
    return one.kind in ("text", "title") and one.words >= SEVERAL and one.distinct >= VARIED * title.distinct


def _names_alone(one: Seen, left: Sequence[Seen]) -> Draft:
    """Names without anything beside them: the likeness of their words, since one column is too little to learn from."""
    normaliser = "company" if one.kind == "company" else "fold"
    return Draft(
        "titles",
        (Column("name", one.paths, (Call(normaliser),)),),
        (Comparison("name", (Level("cosine", ALONE),)),),
        (),
        {"name": f"{one.kind}: {one.why}; nothing else tells records apart"},
        tuple(left),
    )


def _parties(found: Sequence[Seen]) -> Draft:
    columns, comparisons, identifiers, why, blocked = [], [], [], {}, []
    left = []
    names = _Names()
    for one in found:
        if one.kind not in _RULES:
            left.append(one)
            continue
        name = names.of(one.name, one.kind)
        normaliser, levels, frequency = _RULES[one.kind]
        if one.kind == "date" and one.plain_digits:
            normaliser = "digits"  # days that no calendar has may differ from real ones by a digit
        if one.kind == "place" and one.why != "by its name":
            levels = _NAME  # repeated words may be names of people too
        if levels == _NAME and one.words >= WORDS:
            levels = _WHOLE
        if one.kind == "year" and one.why != "years":
            normaliser, levels, frequency = "number", (EXACT,), False  # 1999 and 1999.0 are one year
        if one.kind == "phone" and one.codes >= 0.7:
            normaliser = "phone"
        columns.append(Column(name, one.paths, (Call(normaliser),)))
        rare = one.kind in (*CHECKED, "code", "e-mail", "phone") and one.distinct > 100
        unique = float(f"{1 / (one.distinct * 2):.3g}") if rare and one.repeated < 0.9 else None
        comparisons.append(Comparison(name, levels, frequency and not unique, unique))
        if one.kind in CHECKED:
            identifiers.append(Identifier(name, SAME, apart=one.kind != "iban"))
        if one.kind == "e-mail":
            blocked.append(Column(names.of(f"{name}_domain", "web address"), one.paths, (Call("email_domain"),)))
        elif one.kind == "company":
            blocked.append(Column(names.of(f"{name}_core", "company"), one.paths, (Call("core"), Call("pinyin"))))
        why[name] = f"{one.kind}: {one.why}"
    return Draft(
        "fellegi_sunter", tuple(columns), tuple(comparisons), tuple(identifiers), why, tuple(left), tuple(blocked)
    )


def _titles(found: Sequence[Seen], heavy: Sequence[Seen], beside: Sequence[Seen]) -> Draft:
    """The fullest of the shorter texts is the title; part numbers are looked for in every text.

    Texts `beside` it, such as the authors of a book, are compared by their words too.
    """
    title = max(heavy, key=lambda one: (one.filled > MOSTLY, one.kind == "title", -one.words))
    texts = (
        []
        if beside
        else [
            one
            for one in found
            if (one.kind in ("title", "text", "description", "code") and one.codes > 0.05) or one is title
        ]
    )
    names = _Names()
    columns = [Column(names.of("title", "title"), title.paths, personal=False)]
    likeness = (Level("cosine", ONE_OF_TWO if beside else A_TITLE),)
    comparisons = [Comparison("title", likeness)]
    why = {"title": f"{title.kind}: {title.why}"}
    for one in beside:
        name = names.of(one.name, one.kind)
        columns.append(Column(name, one.paths, personal=False))
        comparisons.append(Comparison(name, likeness))
        why[name] = f"{one.kind}: {one.why}"
    identifiers: list[Identifier] = []
    left = []
    if texts and (title.codes > 0.05 or len(texts) > 1):
        columns.append(
            Column(
                names.of("codes", "code"),
                tuple(path for one in texts for path in one.paths),
                (Call("codes"),),
                many=True,
                personal=False,
            )
        )
        comparisons.append(Comparison("codes", (Level("intersect", 1),)))
        why["codes"] = "part numbers in the texts"
    for one in found:
        if one is title or one in beside:
            continue
        if one.kind == "gtin":
            name = names.of(one.name, one.kind)
            columns.append(Column(name, one.paths, (Call("gtin"),), many=True, personal=False))
            comparisons.append(Comparison(name, (Level("intersect", 1),)))
            identifiers.append(Identifier(name, SAME, apart=True))
            why[name] = f"{one.kind}: {one.why}"
        elif one.kind in ("number", "year") or (_is_class(one) and one.shared >= SHARED):
            name = names.of(one.name, one.kind)
            price = one.kind == "number"
            levels = (Level("ratio", 0.2), Level("ratio", 0.45)) if price else (EXACT,)
            year = "digits" if one.why == "years" else "number"
            normaliser = {"number": "number", "year": year}.get(one.kind, "fold")
            columns.append(Column(name, one.paths, (Call(normaliser),), personal=False))
            comparisons.append(Comparison(name, levels))
            why[name] = f"{one.kind}: {one.why}"
        elif one not in texts:
            left.append(one)
    return Draft("titles", tuple(columns), tuple(comparisons), tuple(identifiers), why, tuple(left))


def _is_class(one: Seen) -> bool:
    """Whether a column holds few different values, such as a brand."""
    return one.kind == "category" or (
        one.kind in ("text", "company", "person", "place") and one.repeated >= BRAND and one.words < SEVERAL + 1
    )


class _Names:
    """Names of columns that a declaration may have, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, header: str, kind: Kind) -> str:
        """The header's own name in small letters, or the kind's where nothing of it can stay."""
        plain = re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")[:50]
        if not plain or not plain[0].isalpha():
            plain = re.sub(r"[^a-z]+", "_", kind)
        name, number = plain, 2
        while name in self._taken:
            name, number = f"{plain}_{number}", number + 1
        self._taken.add(name)
        return name
