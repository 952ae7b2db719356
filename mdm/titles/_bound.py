"""What pairs of titles can weigh at most, for many pairs at a time: sparse matrices over one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mdm.declaration import Declaration, Features
from mdm.score import Model
from mdm.titles._model import is_code, is_cosine
from mdm.titles._scorer import Vectors, values
from mdm.titles._terms import letters, words

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix

    Numbers = np.ndarray[Any, Any]


class Bound:
    """Titles, codes and what is equal or not exactly; the other columns as if they agreed."""

    def __init__(self, declaration: Declaration, model: Model, records: Sequence[Features]) -> None:
        settings, frequencies = model.parsed, model.frequencies
        self._likeness = float(settings["likeness"])
        self._rarity, self._most = float(settings["rarity"]), float(settings["most_code"])
        self._least = float(settings["least_code"])
        self._titles: list[tuple[csr_matrix, csr_matrix, Numbers, float]] = []
        self._codes: list[tuple[csr_matrix, csr_matrix]] = []
        self._support: list[tuple[Numbers, bool]] = []
        self._agrees, self._differs = float(settings["agrees"]), float(settings["differs"])
        for one in declaration.comparisons:
            held = [record.get(one.column) for record in records]
            if is_cosine(one):
                self._titles.append(_title(held, frequencies, one.column, one.levels[0].at))
            elif is_code(one):
                bits = Vectors(frequencies[one.column], lambda code: (code,)).rarity
                self._codes.append((_sparse(map(values, held), bits), _sparse(map(values, held), lambda code: 1.0)))
            else:
                self._support.append((_numbered(held), all(level.test == "exact" for level in one.levels)))
        named = [one.column for one in declaration.identifiers if one.same is not None]
        self._same = [_sparse((values(record.get(name)) for record in records), lambda value: 1.0) for name in named]

    def at_most(self, a: Numbers, b: Numbers) -> Numbers:
        """In bits, per pair; infinite where an identifier is shared."""
        import numpy as np

        total = np.zeros(len(a))
        for numbers, exact in self._support:
            equal = numbers[a] == numbers[b]
            bits = np.where(equal, self._agrees, self._differs) if exact else max(self._agrees, 0.0)
            total += np.where((numbers[a] >= 0) & (numbers[b] >= 0), bits, 0.0)
        for by_words, by_letters, has, neutral in self._titles:
            like = (_dot(by_words, a, b) + _dot(by_letters, a, b)) / 2
            total += np.where(has[a] & has[b], (like - neutral) * self._likeness, 0.0)
        for rarity, held in self._codes:
            shared = rarity[a].multiply(held[b])
            most = np.asarray(shared.max(axis=1).todense()).ravel() if shared.nnz else np.zeros(len(a))
            bits = np.clip(most * self._rarity, self._least, self._most)
            total += np.where(_dot(held, a, b) > 0, bits, 0.0)
        for held in self._same:
            total[_dot(held, a, b) > 0] = np.inf
        return total


def _numbered(held: Sequence[Any]) -> Numbers:
    """A number per different value, -1 for none."""
    import numpy as np

    number: dict[Any, int] = {}
    keys = [tuple(one) if isinstance(one, list) else one for one in held]
    return np.array([-1 if key is None else number.setdefault(key, len(number)) for key in keys], np.int64)


def _title(
    held: list[Any], frequencies: Any, column: str, neutral: float
) -> tuple[csr_matrix, csr_matrix, Numbers, float]:
    import numpy as np

    texts = [str(one) if one else "" for one in held]
    by_words = Vectors(frequencies[f"{column}.words"], words)
    by_letters = Vectors(frequencies[f"{column}.letters"], letters)
    has = np.fromiter((bool(text) for text in texts), bool, len(texts))
    return _vectors(texts, by_words), _vectors(texts, by_letters), has, neutral


def _vectors(texts: Sequence[str], vectors: Vectors) -> csr_matrix:
    return _matrix(vectors.of(text).items() for text in texts)


def _sparse(documents: Iterable[Sequence[str]], bits: Callable[[str], float]) -> csr_matrix:
    return _matrix(((term, bits(term)) for term in dict.fromkeys(document)) for document in documents)


def _matrix(rows: Iterable[Iterable[tuple[str, float]]]) -> csr_matrix:
    from array import array

    import numpy as np
    from scipy.sparse import csr_matrix

    number: dict[str, int] = {}
    columns, numbers, ends = array("i"), array("d"), array("q", [0])
    for row in rows:
        for term, weight in row:
            columns.append(number.setdefault(term, len(number)))
            numbers.append(weight)
        ends.append(len(columns))
    shape = (len(ends) - 1, max(1, len(number)))
    return csr_matrix((np.array(numbers), np.array(columns), np.array(ends)), shape=shape)


def _dot(matrix: csr_matrix, a: Numbers, b: Numbers) -> Numbers:
    import numpy as np

    return np.asarray(matrix[a].multiply(matrix[b]).sum(axis=1)).ravel()
