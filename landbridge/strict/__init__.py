"""The only place that parses foreign bytes: readers with limits, whose failures are ours and say where."""

from landbridge.strict import json, xml, yaml
from landbridge.strict._models import did_you_mean, dotted, validate
from landbridge.strict._node import Node, plain

__all__ = ["Node", "did_you_mean", "dotted", "json", "plain", "validate", "xml", "yaml"]
