"""Which files hold the records and which the truth, which columns of it refer to whom, and which row an id means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from landbridge.strict import did_you_mean
from mdm.evaluate._columns import PARTS, TRUTH, Asked, id_column, label_column, names_a_cluster, plain_id, sides
from mdm.evaluate._files import Table, invalid, joined

REFER = 0.5
"""The share of a column's values that must be ids of another file, where it is to refer to it."""
FAR_MORE = 2.0
"""How many times more alike records of one id must be than others, where nothing but the id says that they are one."""
LOOKED_AT = 400
"""Pairs that are looked at where only their likeness tells how the truth counts or which file it names first."""
_ID = re.compile(r"(.*[_\s.])?(id|key|no|nr|uid|index|idx|row|rid|)", re.IGNORECASE)
_COUNTS = re.compile(r"_?(id|index|idx|row|no|nr|pair_?id|column_1|unnamed.*)", re.IGNORECASE)


class Split(NamedTuple):
    """The files of a folder by what they hold."""

    records: list[Table]
    answer: Table | None


def split(found: Sequence[Table], asked: Asked) -> Split:
    """The records and the truth: as asked, else by names and by whose ids stand in whom."""
    by_name = {table.name: table for table in found}
    for name in (*asked.records, *filter(None, (asked.truth,))):
        if name not in by_name:
            hint = did_you_mean(name, by_name) or f"There are: {', '.join(by_name)}."
            raise invalid(name, "this file is not in the folder.", hint)
    answer = by_name[asked.truth] if asked.truth else None
    rest = [by_name[name] for name in asked.records] if asked.records else [one for one in found if one is not answer]
    if asked.records and answer is None:
        others = [one for one in found if one not in rest]
        return Split(rest, _answer([*rest, *others], others) if others else None)
    if answer is None and len(rest) > 1:
        answer = _answer(rest, rest)
        used = answer.name.split(", ") if answer is not None else []
        rest = [table for table in rest if table.name not in used]
    return Split(rest, answer)


def _answer(found: Sequence[Table], among: Sequence[Table]) -> Table | None:
    """The truth: narrow and named so; or full of the others' ids; or as many values as there are records.

    A truth that was cut into parts (`train`, `valid`, `test`) is put together again.
    """
    parts = [table for table in among if PARTS.search(table.stem)]
    if len(parts) < len(found) and len(parts) > 1 and len({table.header for table in parts}) == 1:
        others = [one for one in found if one not in parts]
        if referring(parts[0], others) is not None:
            return joined(parts)
    for table in among:
        others = [one for one in found if one is not table]
        if len(table.header) <= 4 and TRUTH.search(table.stem) and not all(TRUTH.search(one.stem) for one in others):
            return table
    for table in among:
        others = [one for one in found if one is not table and len(one.header) > 1]
        if others and refers(table, others):
            return table
    for table in among:
        rows = [len(one.rows) for one in found if one is not table]
        if len(table.header) == 1 and rows == [len(table.rows)]:
            return table
    return None


def refers(table: Table, others: Sequence[Table]) -> bool:
    """Whether a file tells of the others' records: pairs of their ids, or an id and a cluster."""
    if len(table.header) > 4 and label_column(table, Asked()) is None:
        return False
    if referring(table, others) is not None:
        return True
    if not 2 <= len(table.header) <= 4:
        return False
    first = set(map(plain_id, table.column(table.header[0])))
    return names_a_cluster(table.header[1]) and any(_holds(one, first) for one in others)


def referring(table: Table, others: Sequence[Table]) -> tuple[str, str] | None:
    """The two columns of a truth that hold ids of the records: called left and right, or the first that do."""
    names = [
        name for name in table.header if any(_holds(one, set(map(plain_id, table.column(name)))) for one in others)
    ]
    label = label_column(table, Asked()) if len(table.header) > 2 else None
    by_side = [pair for stem, pair in sides(table.header, {label} if label else set()).items() if _ID.fullmatch(stem)]
    for left, right in by_side:
        if left in names and right in names:
            return left, right
    fitting = [name for name in names if name != label]
    if len(fitting) > 2:
        fitting = [name for name in fitting if not _COUNTS.fullmatch(name)] or fitting
    return (fitting[0], fitting[1]) if len(fitting) > 1 else None


def _holds(table: Table, ids: set[str]) -> bool:
    """Whether some column of a file has these ids, each once."""
    if not ids:
        return False
    for values in map(table.column, table.header):
        if len(set(values)) == len(values) and len(ids & set(map(plain_id, values))) >= REFER * len(ids):
            return True
    return False


def pair_columns(answer: Table, records: Sequence[Table]) -> tuple[str, str]:
    """The columns of a truth that name both records of a pair; its first two where nothing tells."""
    found = referring(answer, records) if len(answer.header) > 2 else None
    if found is not None:
        return found
    label = label_column(answer, Asked()) if len(answer.header) > 2 else None
    by_side = list(sides(answer.header, {label} if label else set()).items())
    for stem, pair in by_side:
        if _ID.fullmatch(stem) or len(by_side) == 1:
            return pair
    return answer.header[0], answer.header[1]


def one_column_clusters(answer: Table, records: Sequence[Table]) -> bool:
    """Whether a file of one column tells the cluster of every row, in the order of the rows."""
    return len(answer.header) == 1 and len(answer.rows) == sum(len(table.rows) for table in records)


# -- which row an id means ---------------------------------------------------------------------------------------------


class Places(NamedTuple):
    """The rows of one file by their ids; `base` where a row is known by its number: what the first is called."""

    by_id: Mapping[str, int]
    by_plain: Mapping[str, int]

    def find(self, value: str) -> int | None:
        """The row that an id means, as it is written or, where that is nobody, as a number is written otherwise."""
        found = self.by_id.get(value)
        return self.by_plain.get(plain_id(value)) if found is None else found


def places(ids: Sequence[tuple[int, str]]) -> Places:
    """Rows by (row, id); ids that only differ in how a number is written are not brought together."""
    plain: dict[str, int] = {}
    twice: set[str] = set()
    for row, name in ids:
        key = plain_id(name)
        twice.update({key} if key in plain else ())
        plain.setdefault(key, row)
    return Places({name: row for row, name in ids}, {key: row for key, row in plain.items() if key not in twice})


def counted_from(pairs: Iterable[tuple[str, str]], tables: tuple[Table, Table], numbered: tuple[bool, bool]) -> int:
    """What a truth calls the first row, 0 or 1: its least and greatest numbers say, or else how alike its pairs are."""
    known = [(int(a), int(b)) for a, b in pairs if a.isdecimal() and b.isdecimal()]
    told = [(pair[side], len(tables[side].rows)) for side in (0, 1) if numbered[side] for pair in known]
    if not told or any(number == 0 for number, _ in told):
        return 0
    if any(number == rows for number, rows in told):
        return 1
    if numbered != (True, True):
        return 0
    looked = known[:: max(1, len(known) // LOOKED_AT)]

    def alike(base: int) -> float:
        rows = [(tables[0].rows[a - base], tables[1].rows[b - base]) for a, b in looked]
        return sum(likeness(one, two) for one, two in rows)

    return int(alike(1) > alike(0))


def likeness(one: Sequence[str], two: Sequence[str]) -> float:
    """The share of runs of three letters that two rows have in common."""
    first, second = (_runs(" ".join(row).casefold()) for row in (one, two))
    return len(first & second) / max(1, len(first | second))


def _runs(text: str) -> set[str]:
    return {"".join(run) for run in zip(text, text[1:], text[2:], strict=False)}


def in_order(
    records: Sequence[Table], names: tuple[str, str], pairs: Sequence[tuple[str, str]], asked: Asked
) -> list[Table]:
    """Both files in the order of the truth's columns: where only one way fits, or names say so, or likeness does."""
    one, two = records
    left, right = {a for a, _ in pairs}, {b for _, b in pairs}

    def fits(first: Table, second: Table) -> int:
        got = 0
        for table, wanted in ((first, left), (second, right)):
            column = id_column(table, asked, sorted(wanted))
            known = map(plain_id, table.column(column)) if column else map(str, range(len(table.rows) + 1))
            got += len(set(map(plain_id, wanted)).intersection(known))
        return got

    for straight, crossed in (
        (_said(names[0], one) + _said(names[1], two), _said(names[0], two) + _said(names[1], one)),
        (fits(one, two), fits(two, one)),
        (_alike(one, two, pairs, asked), _alike(two, one, pairs, asked)),
    ):
        if straight != crossed:
            return [two, one] if crossed > straight else [one, two]
    return [one, two]


def _said(column: str, table: Table) -> int:
    """Whether a column of the truth names the file: `idAbt` and abt.csv."""
    words = [word for word in re.split(r"[^a-z]+", table.stem.casefold()) if len(word) > 1]
    return sum(word in column.casefold() for word in words[-1:])


def _alike(one: Table, two: Table, pairs: Sequence[tuple[str, str]], asked: Asked) -> float:
    ids = [id_column(table, asked, [pair[side] for pair in pairs]) for side, table in enumerate((one, two))]
    known = [
        places(list(enumerate(table.column(id_) if id_ else map(str, range(len(table.rows))))))
        for table, id_ in zip((one, two), ids, strict=True)
    ]
    found = [(known[0].find(a), known[1].find(b)) for a, b in pairs[:: max(1, len(pairs) // LOOKED_AT)]]
    return sum(likeness(one.rows[a], two.rows[b]) for a, b in found if a is not None and b is not None)


# -- clusters that ids tell --------------------------------------------------------------------------------------------

_ORIGINAL = re.compile(r"(.+?)[-_. ]?(?:org|orig|original|dup|dupe|duplicate|copy)(?:[-_. ]?\d+)?", re.IGNORECASE)


def told_by_ids(records: Sequence[Table], ids: Sequence[str | None]) -> list[list[str]] | None:
    """The clusters that ids tell where they are like `rec-12-org` and `rec-12-dup-0`."""
    found = []
    for table, id_ in zip(records, ids, strict=True):
        names = [name for name in ([id_] if id_ else table.header) if len(set(table.column(name))) == len(table.rows)]
        matched = next((told for name in names if (told := _originals(table.column(name)))), None)
        if matched is None:
            return None
        found.append(matched)
    every = sorted(one for told in found for one in told)
    return found if any(one == two for one, two in pairwise(every)) else None


def _originals(values: Sequence[str]) -> list[str] | None:
    matched = [_ORIGINAL.fullmatch(value) for value in values]
    return [one[1] for one in matched if one] if all(matched) else None


def shared_ids(records: Sequence[Table], ids: Sequence[str | None]) -> list[list[str]] | None:
    """The clusters that equal ids of two files tell, where records of one id look far more alike than others do."""
    if len(records) != 2 or ids[0] is None or ids[0] != ids[1]:
        return None
    columns = [table.column(name) for table, name in zip(records, ids, strict=True) if name is not None]
    rows = [{value: row for row, value in enumerate(column)} for column in columns]
    both = [value for value in columns[0] if value in rows[1]]
    if len(both) < REFER * min(map(len, columns)) or len(both) < 2:
        return None
    looked = both[:: max(1, len(both) // LOOKED_AT)]
    at = [table.header.index(ids[0]) for table in records]

    def alike(step: int) -> float:
        found = 0.0
        for place, value in enumerate(looked):
            one = records[0].rows[rows[0][value]]
            two = records[1].rows[rows[1][looked[(place + step) % len(looked)]]]
            found += likeness(one[: at[0]] + one[at[0] + 1 :], two[: at[1]] + two[at[1] + 1 :])
        return found

    return columns if alike(0) > FAR_MORE * max(alike(1), 1e-9) else None
