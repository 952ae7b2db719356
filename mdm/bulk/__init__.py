"""Bulk work on whole tables of records: training a model and the edges of a first load (Splink on DuckDB)."""

from mdm.bulk._duckdb import Room
from mdm.bulk._match import Edges, Told, match
from mdm.bulk._pairs import HotKey
from mdm.bulk._table import check_table, identities, schema_of, table_of
from mdm.bulk._train import train

__all__ = ["Edges", "HotKey", "Room", "Told", "check_table", "identities", "match", "schema_of", "table_of", "train"]
