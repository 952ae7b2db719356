"""Metrics for Prometheus, read from the store when somebody asks: no process keeps counters of its own."""

from landbridge.metrics._registry import CONTENT_TYPE, METRICS, exposition
from landbridge.metrics._sources import SOURCES, Sample, Source, sources

__all__ = ["CONTENT_TYPE", "METRICS", "SOURCES", "Sample", "Source", "exposition", "sources"]
