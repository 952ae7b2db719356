"""Columns of records as numbers: equal values have equal codes, so that most of matching compares whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mdm.declaration import Declaration
from mdm.score import BREAK, many_columns

if TYPE_CHECKING:
    import pyarrow as pa

Ints: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int32]


class Coded:
    """One column: per record the number of its value, -1 where it has none."""

    def __init__(self, column: pa.ChunkedArray, many: bool) -> None:
        import pyarrow.compute as pc

        joined: Any = pc.binary_join(column, BREAK) if many else column
        encoded = joined.combine_chunks().dictionary_encode()
        self.many = many
        self.codes: Codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        self.dictionary: pa.Array = encoded.dictionary

    def __len__(self) -> int:
        return len(self.dictionary)

    @cached_property
    def values(self) -> NDArray[np.object_]:
        """The distinct values by their codes, as features hold them."""
        read = self.dictionary.to_pylist()
        found = np.empty(len(read), dtype=np.object_)
        found[:] = [tuple(text.split(BREAK)) if text else () for text in read] if self.many else read
        return found

    @cached_property
    def lengths(self) -> Ints:
        """How many signs every distinct value has; of lists, how many values."""
        import pyarrow.compute as pc

        if not self.many:
            signs: Ints = pc.utf8_length(self.dictionary).to_numpy().astype(np.int64)
            return signs
        breaks: Ints = pc.count_substring(self.dictionary, BREAK).to_numpy().astype(np.int64)
        return np.where(pc.utf8_length(self.dictionary).to_numpy() == 0, 0, breaks + 1)

    @cached_property
    def signs(self) -> NDArray[np.uint64]:
        """Per distinct text 64 marks of the bytes in it: a text whose marks are not all in another's is not in it."""
        import pyarrow as pa

        found = np.zeros(len(self), dtype=np.uint64)
        for span in batches(len(self), 50_000):
            part = pa.concat_arrays([self.dictionary[span]])  # the buffers of this part alone, from 0 on
            _, ends, read = part.buffers()
            ends = np.frombuffer(ends, dtype=np.int32)[: len(part) + 1]
            if ends[-1] == 0:
                continue
            marks = np.uint64(1) << (np.frombuffer(read, dtype=np.uint8)[: ends[-1]] & np.uint8(63)).astype(np.uint64)
            full = np.flatnonzero(np.diff(ends))
            found[span.start + full] = np.bitwise_or.reduceat(marks, ends[:-1][full])
        return found


@dataclass
class Columns:
    """A table whose columns are coded when they are first asked for."""

    declaration: Declaration
    table: pa.Table
    _coded: dict[str, Coded] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many records there are."""
        return int(self.table.num_rows)

    def __getitem__(self, name: str) -> Coded:
        if name not in self._coded:
            self._coded[name] = Coded(self.table.column(name), name in many_columns(self.declaration))
        return self._coded[name]

    def choices(self, name: str, length: int | None) -> tuple[Ints | None, Codes, int]:
        """What a block takes of a column: records (None: all, in order), codes, and how many codes there are."""
        if name in many_columns(self.declaration):
            return self._each(name, length)
        column = self[name]
        cut, count = _cut(column.dictionary, length)
        return None, column.codes if cut is None else np.append(cut, np.int32(-1))[column.codes], count

    def _each(self, name: str, length: int | None) -> tuple[Ints, Codes, int]:
        """Every distinct value of every record; the values of one list may be alike in their first signs."""
        import pyarrow.compute as pc

        lists: Any = self.table.column(name).combine_chunks()
        encoded = lists.flatten().dictionary_encode()
        parents = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
        cut, count = _cut(encoded.dictionary, length)
        codes = encoded.indices.to_numpy()
        both = np.unique(parents * count + (codes if cut is None else cut[codes]))
        return both // max(count, 1), (both % max(count, 1)).astype(np.int32), count


def _cut(dictionary: pa.Array, length: int | None) -> tuple[Codes | None, int]:
    """Per distinct value the code of its first signs (None: of itself), and how many such codes there are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if length is None or not pa.types.is_string(dictionary.type):
        return None, len(dictionary)
    short = pc.utf8_slice_codeunits(dictionary, 0, length).dictionary_encode()
    return short.indices.to_numpy(), len(short.dictionary)


def batches(count: int, size: int) -> Iterator[slice]:
    """Consecutive spans of so many at most."""
    for start in range(0, count, size):
        yield slice(start, start + size)
