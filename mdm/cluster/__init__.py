"""Clustering: which records are one, as a pure function of records, edges and decisions; never of arrival order."""

from typing import TYPE_CHECKING, Any

from mdm.cluster._linkage import Refuses
from mdm.cluster._partition import Crowd, Partition, partition, partition_numbers

if TYPE_CHECKING:
    from mdm.cluster._bulk import BulkPartition, partition_bulk

__all__ = ["BulkPartition", "Crowd", "Partition", "Refuses", "partition", "partition_bulk", "partition_numbers"]


def __getattr__(name: str) -> Any:
    if name in ("BulkPartition", "partition_bulk"):  # numpy and scipy stand in an extra: loaded when first used
        from importlib import import_module

        return getattr(import_module("mdm.cluster._bulk"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
