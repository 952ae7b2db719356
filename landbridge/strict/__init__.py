"""The only place that parses foreign bytes: readers with limits, whose failures are ours and say where."""

from typing import TYPE_CHECKING, Any

from landbridge.strict import json, yaml
from landbridge.strict._models import did_you_mean, dotted, validate
from landbridge.strict._node import Node, plain

if TYPE_CHECKING:
    from landbridge.strict import xml

__all__ = ["Node", "did_you_mean", "dotted", "json", "plain", "validate", "xml", "yaml"]


def __getattr__(name: str) -> Any:
    if name == "xml":  # loaded when first used: a task that reads one flow has no XML to read
        from importlib import import_module

        return import_module("landbridge.strict.xml")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
