"""What a folder holds: whose records, and what is known to be one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from landbridge.errors import Finding, Invalid
from landbridge.strict import did_you_mean
from mdm.evaluate._columns import (
    NO,
    TRUTH,
    YES,
    Asked,
    cluster_column,
    id_column,
    label_column,
    names_a_cluster,
    sides,
)
from mdm.evaluate._files import Table, invalid

FEW = 5

Pair = tuple[int, int]


@dataclass(frozen=True)
class Truth:
    """Records of one or two sources by number, and which of them are one.

    `labelled`: the only pairs of which anything is known, where a file tells of both kinds; None: every pair that is
    not among `pairs` is known to be different.
    """

    sources: tuple[str, ...]
    records: tuple[dict[str, str], ...]
    source_of: tuple[int, ...]
    ids: tuple[str, ...]
    pairs: frozenset[Pair]
    labelled: frozenset[Pair] | None = None
    given: bool = False
    """Whether the pairs stand in the file itself, so that nothing is searched for."""
    told: tuple[str, ...] = ()
    """How the folder was understood, in sentences."""
    hidden: frozenset[str] = field(default_factory=frozenset)
    """Columns that tell the truth or number the rows: no declaration may compare them."""

    @cached_property
    def groups(self) -> list[int]:
        """For every record the least record that is one with it."""
        parent = list(range(len(self.records)))

        def top(one: int) -> int:
            while parent[one] != one:
                parent[one] = parent[parent[one]]
                one = parent[one]
            return one

        for a, b in self.pairs:
            low, high = sorted((top(a), top(b)))
            parent[high] = low
        return [top(one) for one in range(len(parent))]

    @property
    def header(self) -> tuple[str, ...]:
        """The columns that a declaration may name."""
        found = dict.fromkeys(name for record in self._samples for name in record)
        return tuple(name for name in found if name not in self.hidden)

    @property
    def _samples(self) -> list[dict[str, str]]:
        return [self.records[self.source_of.index(one)] for one in range(len(self.sources)) if one in self.source_of]


def understand(found: Sequence[Table], asked: Asked, *, truth: bool = True) -> Truth:
    """The records and the truth of a folder's files; Invalid with what is missing and what to do.

    Without `truth` a folder that tells nothing about it is right too.
    """
    by_name = {table.name: table for table in found}
    for name in (*asked.records, *filter(None, (asked.truth,))):
        if name not in by_name:
            hint = did_you_mean(name, by_name) or f"There are: {', '.join(by_name)}."
            raise invalid(name, "this file is not in the folder.", hint)
    told_apart = _split(found, by_name, asked)
    records, answer = told_apart
    if len(records) > 2:
        names = ", ".join(table.name for table in records)
        hint = "Name them: --records FILE (once or twice) and --truth FILE."
        raise invalid("", f"which of these hold the records, and which the truth? {names}", hint)
    if not records:
        raise invalid("", "there are no records beside the truth.", "Add the records as one or two CSV files.")
    if answer is None and len(records) == 1 and (pairs := _given_pairs(records[0], asked)) is not None:
        return pairs
    if answer is None:
        return _by_column(records, asked, needed=truth)
    return _by_file(records, answer, asked)


def _split(found: Sequence[Table], by_name: dict[str, Table], asked: Asked) -> tuple[list[Table], Table | None]:
    answer = by_name[asked.truth] if asked.truth else None
    if asked.records:
        return [by_name[name] for name in asked.records], answer
    rest = [table for table in found if table is not answer]
    if answer is None and len(rest) > 1:
        answer = _answer(rest)
        rest = [table for table in rest if table is not answer]
    return rest, answer


def _answer(found: list[Table]) -> Table | None:
    """The file that holds the truth: named so, or narrow and full of the others' ids."""
    for table in found:
        others = [one for one in found if one is not table]
        if len(table.header) <= 4 and TRUTH.search(table.stem) and not all(TRUTH.search(one.stem) for one in others):
            return table
    for table in found:
        if not 2 <= len(table.header) <= 4:
            continue
        others = [one for one in found if one is not table and len(one.header) > 1]
        ids = [set(table.column(name)) for name in table.header[:2]]
        if others and any(_holds(one, ids[0]) for one in others):
            pairs = any(_holds(one, ids[1]) for one in others)
            if pairs or names_a_cluster(table.header[1]):
                return table
    return None


def _holds(table: Table, ids: set[str]) -> bool:
    return any(ids <= set(values) and len(set(values)) == len(values) for values in map(table.column, table.header))


# -- the three forms of truth ------------------------------------------------------------------------------------------


def _given_pairs(table: Table, asked: Asked) -> Truth | None:
    """A file of pairs, each with its label: two columns (or as many again) that stand side by side."""
    label = label_column(table, asked)
    found = sides(table.header, {label} if label else set())
    if label is None or not found:
        return None
    records: list[dict[str, str]] = []
    positive, labelled = set(), set()
    findings = []
    for number, row in enumerate(table.rows):
        values = dict(zip(table.header, row, strict=True))
        said = values[label].casefold()
        if said not in YES | NO:
            message = f"'{values[label]}' in '{label}' is neither yes nor no."
            findings.append(Finding("", "file", message, "Write 1 or 0.", table.where(number)))
            continue
        pair = (len(records), len(records) + 1)
        records += [{stem: values[name] for stem, (name, _) in found.items()}]
        records += [{stem: values[name] for stem, (_, name) in found.items()}]
        labelled.add(pair)
        if said in YES:
            positive.add(pair)
    if findings:
        raise Invalid(findings[:FEW])
    told = ", ".join(f"{stem} ({left}, {right})" for stem, (left, right) in found.items())
    ids = tuple(f"{table.lines[number // 2]}{'lr'[number % 2]}" for number in range(len(records)))
    return Truth(
        sources=("left", "right"),
        records=tuple(records),
        source_of=tuple(number % 2 for number in range(len(records))),
        ids=ids,
        pairs=frozenset(positive),
        labelled=frozenset(labelled),
        given=True,
        told=(f"{table.name}: {len(labelled)} pairs of {told}; '{label}' says which are one: {len(positive)}.",),
    )


def _numbered(records: Sequence[Table], ids: Sequence[str | None]) -> tuple[list[dict[str, str]], list[int], list[str]]:
    rows: list[dict[str, str]] = []
    source_of: list[int] = []
    named: list[str] = []
    for source, (table, id_) in enumerate(zip(records, ids, strict=True)):
        for number in range(len(table.rows)):
            record = table.record(number)
            rows.append(record)
            source_of.append(source)
            named.append(record[id_] if id_ else str(number))
    return rows, source_of, named


def _by_column(records: Sequence[Table], asked: Asked, *, needed: bool) -> Truth:
    columns = [cluster_column(table, asked) for table in records]
    if needed and None in columns:
        without = records[columns.index(None)]
        hint = "Add a file of pairs of ids, or a column `cluster`; or name it: --truth FILE, --cluster COLUMN."
        raise invalid(without.name, "nothing says which records are one.", hint)
    ids = [id_column(table, asked) for table in records]
    rows, source_of, named = _numbered(records, ids)
    groups: dict[str, list[int]] = {}
    for number, record in enumerate(rows):
        column = columns[source_of[number]]
        if column is not None and record[column]:
            groups.setdefault(record[column], []).append(number)
    pairs = {(a, b) for group in groups.values() for at, a in enumerate(group) for b in group[at + 1 :]}
    if needed and not pairs:
        hint = "Records that are one have the same value in it."
        raise invalid(records[0].name, f"no value of the column '{columns[0]}' stands twice.", hint)
    told = [f"{table.name}: {len(table.rows)} records{_by_id(id_)}." for table, id_ in zip(records, ids, strict=True)]
    if pairs:
        told.append(f"The truth is the column '{columns[0]}': {len(pairs)} pairs are one.")
    hidden = frozenset(name for name in (*columns, *ids) if name)
    return Truth(
        tuple(table.stem for table in records), tuple(rows), tuple(source_of), tuple(named), frozenset(pairs),
        told=tuple(told), hidden=hidden,
    )  # fmt: skip


def _by_id(name: str | None) -> str:
    return f" by '{name}'" if name else " by the number of the row"


def _by_file(records: list[Table], answer: Table, asked: Asked) -> Truth:
    if len(answer.header) < 2:
        raise invalid(
            answer.name, "one column cannot say which records are one.", "It holds pairs of ids, or id and cluster."
        )
    first, second = answer.header[:2]
    if names_a_cluster(second) or names_a_cluster(first) or (asked.cluster and asked.cluster in answer.header):
        return _by_clusters(records, answer, asked)
    label = label_column(answer, asked) if len(answer.header) > 2 else None
    left, right = answer.column(first), answer.column(second)
    if len(records) == 2:
        records = _ordered(records, (first, second), (set(left), set(right)), asked)
        columns = [id_column(records[0], asked, left), id_column(records[1], asked, right)]
    else:
        columns = [id_column(records[0], asked, [*left, *right])]
    rows, source_of, named = _numbered(records, columns)
    places = [
        _places(table, id_, source, source_of, named)
        for source, (table, id_) in enumerate(zip(records, columns, strict=True))
    ]
    findings: list[Finding] = []
    positive, labelled = set(), set()
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        one = _known(a, first, places[0], records[0], answer.where(number), findings)
        two = _known(b, second, places[-1], records[-1], answer.where(number), findings)
        if one is None or two is None or one == two:
            continue
        pair = (min(one, two), max(one, two))
        labelled.add(pair)
        if label is None or answer.rows[number][answer.header.index(label)].casefold() in YES:
            positive.add(pair)
    if findings:
        raise Invalid([*findings[:FEW], *_more(findings, answer)])
    if not positive:
        raise invalid(answer.name, "no pair is said to be one.", "Every row names two records that are.")
    told = [
        f"{table.name}: {len(table.rows)} records{_by_id(id_)}." for table, id_ in zip(records, columns, strict=True)
    ]
    told.append(
        f"{answer.name}: {len(positive)} pairs are one "
        f"('{first}' of {records[0].name}, '{second}' of {records[-1].name})."
    )
    both = labelled if label is not None and labelled != positive else None
    if both is not None:
        told.append(
            f"'{label}' tells of {len(both) - len(positive)} pairs that they are not one; only labelled pairs count."
        )
    truth = Truth(
        tuple(table.stem for table in records), tuple(rows), tuple(source_of), tuple(named), frozenset(positive),
        frozenset(both) if both is not None else None, told=tuple(told),
        hidden=frozenset(filter(None, columns)),
    )  # fmt: skip
    return truth if label is not None else _closed(truth)


def _closed(truth: Truth) -> Truth:
    """With the pairs that follow: if a is b, and b is c, then a is c. Between two sources only theirs are told."""
    if len(truth.sources) == 2:
        return truth
    groups: dict[int, list[int]] = {}
    for number, top in enumerate(truth.groups):
        groups.setdefault(top, []).append(number)
    pairs = {(a, b) for group in groups.values() for at, a in enumerate(group) for b in group[at + 1 :]}
    return replace(truth, pairs=frozenset(pairs))


def _more(findings: list[Finding], answer: Table) -> list[Finding]:
    if len(findings) <= FEW:
        return []
    message = f"and {len(findings) - FEW} more ids are not there."
    return [Finding("", "file", message, "Is it the truth of other records? Say which column: --id.", answer.name)]


def _places(table: Table, id_: str | None, source: int, source_of: list[int], named: list[str]) -> dict[str, int]:
    return {name: number for number, (name, of) in enumerate(zip(named, source_of, strict=True)) if of == source}


def _known(
    value: str, column: str, places: dict[str, int], table: Table, where: str, findings: list[Finding]
) -> int | None:
    found = places.get(value)
    if found is None:
        near = did_you_mean(value, list(places)[:2000]) if len(findings) < FEW else ""
        findings.append(Finding("", "file", f"{column} '{value}' is no record of {table.name}.", near, where))
    return found


def _ordered(records: list[Table], names: tuple[str, str], ids: tuple[set[str], set[str]], asked: Asked) -> list[Table]:
    """Both files in the order of the truth's columns: where only one way fits, or the names of the columns say so."""
    one, two = records

    def fits(first: Table, second: Table) -> int:
        got = 0
        for table, wanted in ((first, ids[0]), (second, ids[1])):
            column = id_column(table, asked, list(wanted))
            got += len(wanted.intersection(table.column(column))) if column else 0
        return got

    straight, crossed = fits(one, two), fits(two, one)
    if straight == crossed:
        said = [_said(names[0], one) + _said(names[1], two), _said(names[0], two) + _said(names[1], one)]
        straight, crossed = said
    return [two, one] if crossed > straight else [one, two]


def _said(column: str, table: Table) -> int:
    """Whether a column of the truth names the file: `idAbt` and abt.csv."""
    words = [word for word in re.split(r"[^a-z0-9]+", table.stem.casefold()) if word]
    return sum(word in column.casefold() for word in words[-1:])


def _by_clusters(records: list[Table], answer: Table, asked: Asked) -> Truth:
    """A file that names for every record the cluster it is in."""
    cluster = asked.cluster or next(name for name in reversed(answer.header) if names_a_cluster(name))
    key = next(name for name in answer.header if name != cluster)
    wanted = answer.column(key)
    columns = [id_column(table, asked, wanted) for table in records]
    rows, source_of, named = _numbered(records, columns)
    place = {name: number for number, name in enumerate(named)}
    findings: list[Finding] = []
    groups: dict[str, list[int]] = {}
    for number, (id_, group) in enumerate(zip(wanted, answer.column(cluster), strict=True)):
        found = _known(id_, key, place, records[0], answer.where(number), findings)
        if found is not None and group:
            groups.setdefault(group, []).append(found)
    if findings:
        raise Invalid([*findings[:FEW], *_more(findings, answer)])
    pairs = {
        (min(a, b), max(a, b))
        for group in groups.values()
        for at, a in enumerate(group)
        for b in group[at + 1 :]
        if a != b
    }
    if not pairs:
        raise invalid(
            answer.name, f"no value of '{cluster}' stands twice.", "Records that are one have the same value."
        )
    told = [
        f"{table.name}: {len(table.rows)} records{_by_id(id_)}." for table, id_ in zip(records, columns, strict=True)
    ]
    told.append(f"{answer.name}: '{cluster}' puts {len(pairs)} pairs together.")
    return Truth(
        tuple(table.stem for table in records), tuple(rows), tuple(source_of), tuple(named), frozenset(pairs),
        told=tuple(told), hidden=frozenset(filter(None, columns)),
    )  # fmt: skip


def searched(truth: Truth) -> Truth:
    """A file of pairs as one set of records, in which the pairs that are one must be found among all others."""
    if not truth.given:
        return truth
    number: dict[tuple[tuple[str, str], ...], int] = {}
    place = [number.setdefault(tuple(sorted(record.items())), len(number)) for record in truth.records]
    pairs = {(min(place[a], place[b]), max(place[a], place[b])) for a, b in truth.pairs if place[a] != place[b]}
    told = f"Searched: {len(number)} different records, every one against every other."
    return _closed(
        replace(
            truth,
            sources=("records",),
            records=tuple(dict(key) for key in number),
            source_of=(0,) * len(number),
            ids=tuple(str(one) for one in range(len(number))),
            pairs=frozenset(pairs),
            labelled=None,
            given=False,
            told=(*truth.told, told),
        )
    )
