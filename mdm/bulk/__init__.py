"""Bulk work on whole tables of records: a model that Splink learns, and the edges of a first load."""

from typing import TYPE_CHECKING, Any

from mdm.bulk._table import check_table, identities, schema_of, table_of
from mdm.bulk._told import Edges, HotKey, Room, Told

if TYPE_CHECKING:
    from mdm.bulk._match import match
    from mdm.bulk._train import train

__all__ = ["Edges", "HotKey", "Room", "Told", "check_table", "identities", "match", "schema_of", "table_of", "train"]

_LATER = {"match": "_match", "train": "_train"}  # numpy, DuckDB and Splink stand in an extra: loaded when first used


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
