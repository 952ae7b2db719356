"""Which column of a file says what: ids, clusters, labels, and pairs of columns that stand side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from landbridge.strict import did_you_mean
from mdm.evaluate._files import Table, invalid

CLUSTER = re.compile(
    r"(true_|gold_|real_)?(cluster|entity|group|golden|match|person|customer|duplicate)(_?id|_?label|_?key)?|cluster.*"
    r"|truth|gold|true_id|label_id",
    re.IGNORECASE,
)
"""Columns that say which records are one; `id`, `customer_id` and the like are looked at only if values repeat."""
SURE = re.compile(
    r"(true_|gold_)?(cluster|entity|golden)([\s_]?(id|label|key|no))?|truth|true[\s_]?id|gold", re.IGNORECASE
)
LIKELY = re.compile(
    r"(.*_)?(cluster|entity|ent|golden|group|grp|identity|duplicate|dup|dupe|class|family|match|person|real|same|unique)"
    r"s?_?(id|label|key|no|nr|number|group|of)?|(cluster|identity)\W.*|c?gid|cid|id|label_id",
    re.IGNORECASE,
)
"""Columns that may say which records are one where nothing surer does: only if their values form many small groups."""
SMALL = 20
"""Records that a cluster of such a column has on average at most."""
TRUTH = re.compile(
    r"truth|gold|(^|_)gt($|_)|match|pair|label|mapping|solution|perfect|answer|link|identity", re.IGNORECASE
)
"""Files that say which records are one."""
PARTS = re.compile(r"(^|[_\W])(train(ing)?|valid(ation)?|val|dev|test)($|[_\W])", re.IGNORECASE)
"""Files that hold a part of the labelled pairs."""
NAMED_ID = re.compile(r"(.*[_\s])?_?(id|key|no|nr|uid|uuid|number)", re.IGNORECASE)
"""What an id is called by people, and the count of rows that a program wrote beside is not."""
ID = re.compile(r"(.*[_\s])?_?(id|key|no|nr|uid|uuid|number|index)|unnamed.*|row", re.IGNORECASE)
YES = frozenset({"1", "1.0", "true", "t", "yes", "y", "match", "same", "是", "positive", "ja", "matched"})
NO = frozenset({"0", "0.0", "false", "f", "no", "n", "non-match", "nonmatch", "different", "否", "negative", "nein",
                "unmatched", "-1", "not match", "no match", "nomatch"})  # fmt: skip
_PLAIN_ID = re.compile(r"_?id|(rec|record|row)_?id|unnamed.*", re.IGNORECASE)
_NUMBER = re.compile(r"\s*0*(\d+?)(?:\.0+)?\s*")
_SIDES = (
    (r"(.*?)[_\s.]?(?:1|l|left|a)", r"(.*?)[_\s.]?(?:2|r|right|b)"),
    (r"(?:left|l|ltable|a|x)[_\s.](.+)", r"(?:right|r|rtable|b|y)[_\s.](.+)"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person says about the folder; what is empty is found."""

    records: tuple[str, ...] = ()
    truth: str = ""
    cluster: str = ""
    id: str = ""
    label: str = ""


def id_column(table: Table, asked: Asked, referred: Sequence[str] = ()) -> str | None:
    """The column that numbers the rows: as asked, the one the truth refers to, or the first that looks like one."""
    if asked.id:
        if asked.id not in table.header:
            hint = did_you_mean(asked.id, table.header) or f"There are: {', '.join(table.header)}."
            raise invalid(table.name, f"there is no column '{asked.id}'.", hint)
        twice = _repeated(table.column(asked.id))
        if twice:
            raise invalid(table.name, f"'{twice}' stands twice in the id column '{asked.id}'.", "Ids are unique.")
        return asked.id
    unique = [name for name in table.header if not _repeated(values := table.column(name)) and all(values)]
    if referred:
        return _referred(table, unique, set(map(plain_id, referred)))
    for name in sorted(unique, key=lambda name: not _PLAIN_ID.fullmatch(name)):
        if ID.fullmatch(name):
            return name
    return unique[0] if unique and unique[0] == table.header[0] and ID.search(unique[0]) else None


def _referred(table: Table, unique: Sequence[str], wanted: set[str]) -> str | None:
    """The column that holds most of the ids of a truth; None where its numbers can only count the rows."""
    counts = [(len(wanted.intersection(map(plain_id, table.column(name)))), name) for name in unique]
    most, best = max(counts, key=lambda one: (one[0], bool(NAMED_ID.fullmatch(one[1]))), default=(0, None))
    rows = sum(one.isdecimal() and int(one) <= len(table.rows) for one in wanted)
    if best is not None and most and (most >= rows or (ID.fullmatch(best) and 2 * most >= len(wanted))):
        return best
    named = next((name for name in unique if ID.fullmatch(name)), None)
    return named if rows < len(wanted) else None


def plain_id(value: str) -> str:
    """An id as it is compared: `7`, `07` and `7.0` are one."""
    found = _NUMBER.fullmatch(value)
    return found[1] if found else value.strip()


def _repeated(values: Sequence[str]) -> str:
    seen = set()
    for value in values:
        if value in seen:
            return value or "an empty value"
        seen.add(value)
    return ""


def cluster_column(table: Table, asked: Asked) -> str | None:
    """The column that says which records are one."""
    if asked.cluster:
        if asked.cluster not in table.header:
            hint = did_you_mean(asked.cluster, table.header) or f"There are: {', '.join(table.header)}."
            raise invalid(table.name, f"there is no column '{asked.cluster}'.", hint)
        return asked.cluster
    return next((name for name in table.header if SURE.fullmatch(name)), None) or likely_cluster(table)


def likely_cluster(table: Table) -> str | None:
    """A column that is called like a cluster or an id, and whose values form many small groups."""
    for name in sorted(filter(LIKELY.fullmatch, table.header), key=lambda name: not CLUSTER.fullmatch(name)):
        values = [value for value in table.column(name) if value]
        different = len(set(values))
        if different < len(values) == len(table.rows) and different * SMALL >= len(values) and different > 2:
            return name
    return None


def label_column(table: Table, asked: Asked) -> str | None:
    """The column that says yes or no."""
    if asked.label:
        if asked.label not in table.header:
            hint = did_you_mean(asked.label, table.header) or f"There are: {', '.join(table.header)}."
            raise invalid(table.name, f"there is no column '{asked.label}'.", hint)
        return asked.label
    fitting = [
        name
        for name in table.header
        if (values := {value.casefold() for value in table.column(name)}) <= YES | NO and values & YES
    ]
    named = [name for name in fitting if re.search(r"label|match|same|^y$|truth|gold|dup|target|class", name, re.I)]
    return next(iter(named or fitting), None)


def sides(header: Sequence[str], without: set[str]) -> dict[str, tuple[str, str]]:
    """Columns that stand for left and right, by what they share in their names; `a` and `b` are a `name`."""
    found: dict[str, tuple[str, str]] = {}
    for left, right in _SIDES:
        firsts, seconds = (
            {m[1].casefold(): name for name in header if name not in without and (m := re.fullmatch(side, name, re.I))}
            for side in (left, right)
        )
        for stem, name in firsts.items():
            if stem in seconds and seconds[stem] != name:
                found.setdefault(stem.strip("_ .") or "name", (name, seconds[stem]))
        if found:
            return found
    return found


def names_a_cluster(name: str) -> bool:
    """Whether a column of a truth's file is called like a cluster."""
    return CLUSTER.fullmatch(name) is not None
