"""Metrics for Prometheus, read from the store when somebody asks: no process keeps counters of its own."""

from landbridge.metrics._registry import CONTENT_TYPE, METRICS, exposition

__all__ = ["CONTENT_TYPE", "METRICS", "exposition"]
