"""The only place that parses foreign bytes: readers with limits, whose failures are ours and say where."""

from typing import TYPE_CHECKING, Any

from landbridge.strict import csv, json, yaml
from landbridge.strict._models import did_you_mean, dotted, validate
from landbridge.strict._node import Node, plain

if TYPE_CHECKING:
    from landbridge.strict import excel, xml

__all__ = ["Node", "csv", "did_you_mean", "dotted", "excel", "json", "plain", "validate", "xml", "yaml"]


def __getattr__(name: str) -> Any:
    if name in ("excel", "xml"):  # loaded when first used: a task that reads one flow has no XML to read
        from importlib import import_module

        return import_module(f"landbridge.strict.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
