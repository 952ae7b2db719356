"""What a folder holds: whose records, and what is known to be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from landbridge.errors import Finding, Invalid
from landbridge.strict import did_you_mean
from mdm.evaluate._answer import (
    Places,
    counted_from,
    in_order,
    one_column_clusters,
    pair_columns,
    places,
    shared_ids,
    split,
    told_by_ids,
)
from mdm.evaluate._columns import (
    ID,
    NO,
    YES,
    Asked,
    cluster_column,
    id_column,
    label_column,
    names_a_cluster,
    sides,
)
from mdm.evaluate._files import Table, invalid, with_first_row

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
    truth_of = _understood(found, asked, needed=truth)
    told = [
        f"{table.name} is not UTF-8 and was read as {table.guessed}; if letters look wrong, give --encoding."
        for table in found
        if table.guessed
    ]
    return replace(truth_of, told=(*told, *truth_of.told))


def _understood(found: Sequence[Table], asked: Asked, *, needed: bool) -> Truth:
    records, answer = split(found, asked)
    if len(records) > 2:
        names = ", ".join(table.name for table in records)
        hint = "Name them: --records FILE (once or twice) and --truth FILE."
        raise invalid("", f"which of these hold the records, and which the truth? {names}", hint)
    if not records:
        raise invalid("", "there are no records beside the truth.", "Add the records as one or two CSV files.")
    if answer is None and len(records) == 1 and (pairs := _given_pairs(records[0], asked)) is not None:
        return pairs
    if answer is None:
        return _by_column(records, asked, needed=needed)
    return _by_file(records, answer, asked)


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
    hidden = frozenset(stem for stem in found if ID.fullmatch(stem)) if len(found) > 1 else frozenset[str]()
    ids = tuple(f"{table.lines[number // 2]}{'lr'[number % 2]}" for number in range(len(records)))
    return Truth(
        sources=("left", "right"),
        records=tuple(records),
        source_of=tuple(number % 2 for number in range(len(records))),
        ids=ids,
        pairs=frozenset(positive),
        labelled=frozenset(labelled),
        given=True,
        hidden=hidden,
        told=(f"{table.name}: {len(labelled)} pairs of {told}; '{label}' says which are one: {len(positive)}.",),
    )


def _numbered(
    records: Sequence[Table], ids: Sequence[str | None], base: int = 0
) -> tuple[list[dict[str, str]], list[int], list[str]]:
    """Every row, whose it is, and its id, or its number where it has none: the first is called `base`."""
    rows: list[dict[str, str]] = []
    source_of: list[int] = []
    named: list[str] = []
    for source, (table, id_) in enumerate(zip(records, ids, strict=True)):
        for number in range(len(table.rows)):
            record = table.record(number)
            rows.append(record)
            source_of.append(source)
            named.append(record[id_] if id_ else str(number + base))
    return rows, source_of, named


def _by_column(records: Sequence[Table], asked: Asked, *, needed: bool) -> Truth:
    columns = [cluster_column(table, asked) for table in records]
    ids = [
        id_column(table, Asked(id=asked.id)) if asked.id or column is None else id_column(table, asked)
        for table, column in zip(records, columns, strict=True)
    ]
    said = None
    if None in columns and (said := told_by_ids(records, ids)) is not None:
        ids = [_holding(table, id_, told) for table, id_, told in zip(records, ids, said, strict=True)]
    elif None in columns:
        said = shared_ids(records, ids)
    if needed and None in columns and said is None:
        without = records[columns.index(None)]
        hint = "Add a file of pairs of ids, or a column `cluster`; or name it: --truth FILE, --cluster COLUMN."
        raise invalid(without.name, "nothing says which records are one.", hint)
    rows, source_of, named = _numbered(records, ids)
    groups: dict[str, list[int]] = {}
    if said is None:
        said = [table.column(column) if column else [] for table, column in zip(records, columns, strict=True)]
    starts = [sum(len(table.rows) for table in records[:at]) for at in range(len(records))]
    for start, told_of in zip(starts, said, strict=True):
        for number, group in enumerate(told_of):
            if group:
                groups.setdefault(group, []).append(start + number)
    pairs = _within(groups)
    if needed and not pairs:
        hint = "Records that are one have the same value in it."
        raise invalid(records[0].name, f"no value of the column '{columns[0]}' stands twice.", hint)
    told = [f"{table.name}: {len(table.rows)} records{_by_id(id_)}." for table, id_ in zip(records, ids, strict=True)]
    if pairs:
        tells = f"is the column '{columns[0]}'" if columns[0] else f"is told by the ids in '{ids[0]}'"
        told.append(f"The truth {tells}: {len(pairs)} pairs are one.")
    hidden = frozenset(name for name in (*columns, *ids) if name)
    return Truth(
        tuple(table.stem for table in records), tuple(rows), tuple(source_of), tuple(named), frozenset(pairs),
        told=tuple(told), hidden=hidden,
    )  # fmt: skip


def _holding(table: Table, id_: str | None, told: Sequence[str]) -> str | None:
    """The column whose ids tell the clusters."""
    if id_ is not None:
        return id_
    return next(
        name for name in table.header if all(v.startswith(t) for v, t in zip(table.column(name), told, strict=True))
    )


def _within(groups: Mapping[str, list[int]]) -> set[Pair]:
    return {
        (min(a, b), max(a, b))
        for group in groups.values()
        for at, a in enumerate(group)
        for b in group[at + 1 :]
        if a != b
    }


def _by_id(name: str | None, base: int = 0) -> str:
    return f" by '{name}'" if name else f" by the number of the row, the first is {base}"


def _by_file(records: list[Table], answer: Table, asked: Asked) -> Truth:
    if one_column_clusters(answer, records):
        return _by_rows(records, answer, asked)
    if len(answer.header) < 2:
        raise invalid(
            answer.name, "one column cannot say which records are one.", "It holds pairs of ids, or id and cluster."
        )
    first, second = answer.header[:2]
    if names_a_cluster(second) or names_a_cluster(first) or (asked.cluster and asked.cluster in answer.header):
        return _by_clusters(records, answer, asked)
    first, second = pair_columns(answer, records)
    answer = with_first_row(answer, (first, second), records)
    label = label_column(answer, asked) if len(answer.header) > 2 else None
    left, right = answer.column(first), answer.column(second)
    said = list(zip(left, right, strict=True))
    if len(records) == 2:
        records = in_order(records, (first, second), said, asked)
        columns = [id_column(records[0], asked, left), id_column(records[1], asked, right)]
    else:
        columns = [id_column(records[0], asked, [*left, *right])]
    base = counted_from(said, (records[0], records[-1]), (columns[0] is None, columns[-1] is None))
    rows, source_of, named = _numbered(records, columns, base)
    known = [_places(source, source_of, named) for source in range(len(records))]
    findings: list[Finding] = []
    positive, labelled = set(), set()
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        one = _known(a, first, known[0], records[0], answer.where(number), findings)
        two = _known(b, second, known[-1], records[-1], answer.where(number), findings)
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
        f"{table.name}: {len(table.rows)} records{_by_id(id_, base)}."
        for table, id_ in zip(records, columns, strict=True)
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


def _places(source: int, source_of: list[int], named: list[str]) -> Places:
    return places([(row, name) for row, (name, of) in enumerate(zip(named, source_of, strict=True)) if of == source])


def _known(value: str, column: str, known: Places, table: Table, where: str, findings: list[Finding]) -> int | None:
    found = known.find(value)
    if found is None:
        near = did_you_mean(value, list(known.by_id)[:2000]) if len(findings) < FEW else ""
        findings.append(Finding("", "file", f"{column} '{value}' is no record of {table.name}.", near, where))
    return found


def _by_rows(records: list[Table], answer: Table, asked: Asked) -> Truth:
    """A file of one column that names the cluster of every row, in the order of the rows."""
    columns = [id_column(table, asked) for table in records]
    rows, source_of, named = _numbered(records, columns)
    groups: dict[str, list[int]] = {}
    for number, group in enumerate(answer.column(answer.header[0])):
        groups.setdefault(group, []).append(number)
    pairs = _within(groups)
    if not pairs:
        raise invalid(answer.name, "no value stands twice.", "Records that are one have the same value.")
    told = [
        f"{table.name}: {len(table.rows)} records{_by_id(id_)}." for table, id_ in zip(records, columns, strict=True)
    ]
    told.append(f"{answer.name}: row by row '{answer.header[0]}' puts {len(pairs)} pairs together.")
    return Truth(
        tuple(table.stem for table in records), tuple(rows), tuple(source_of), tuple(named), frozenset(pairs),
        told=tuple(told), hidden=frozenset(filter(None, columns)),
    )  # fmt: skip


def _by_clusters(records: list[Table], answer: Table, asked: Asked) -> Truth:
    """A file that names for every record the cluster it is in."""
    cluster = asked.cluster or next(name for name in reversed(answer.header) if names_a_cluster(name))
    key = next(name for name in answer.header if name != cluster)
    wanted = answer.column(key)
    columns = [id_column(table, asked, wanted) for table in records]
    base = 0 if columns[0] or "0" in wanted else 1
    rows, source_of, named = _numbered(records, columns, base)
    place = places(list(enumerate(named)))
    findings: list[Finding] = []
    groups: dict[str, list[int]] = {}
    for number, (id_, group) in enumerate(zip(wanted, answer.column(cluster), strict=True)):
        found = _known(id_, key, place, records[0], answer.where(number), findings)
        if found is not None and group:
            groups.setdefault(group, []).append(found)
    if findings:
        raise Invalid([*findings[:FEW], *_more(findings, answer)])
    pairs = _within(groups)
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
