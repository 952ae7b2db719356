"""Matching of products: likeness of titles, codes and GTINs, behind the same scorer interface as that of parties."""

from typing import TYPE_CHECKING, Any

from mdm.titles._model import check_model, train
from mdm.titles._scorer import TitleScorer
from mdm.titles._terms import letters, words

if TYPE_CHECKING:
    from mdm.titles._assign import assign
    from mdm.titles._bulk import match

__all__ = ["TitleScorer", "assign", "check_model", "letters", "match", "train", "words"]

_LATER = {"assign": "_assign", "match": "_bulk"}  # numpy and scipy stand in an extra: loaded when first used


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
