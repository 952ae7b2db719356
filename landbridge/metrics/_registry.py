"""The metrics by name, and the registry that fills them from the store on each scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from landbridge.metrics._sources import Sample, Source
from landbridge.store import Store, breakers, control, figures
from landbridge.store._figures import FAILED, KINDS, WRITTEN

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""Of the text that `exposition` gives."""

METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "landbridge_messages": ("Messages in flight or with a person, by state.", ("flow", "route", "state")),
    "landbridge_received_waiting": ("Messages in the inbox that are not processed yet.", ("system", "entity")),
    "landbridge_lag_seconds": ("Age of the oldest unprocessed message of the flow's feed; 0: none.", ("flow",)),
    "landbridge_oldest_open_seconds": ("Age of the oldest message that is on its way out; 0: none.", ("flow",)),
    "landbridge_delivered_last_hour": ("Records created, updated or deleted by the runs of the last hour.", ("flow",)),
    "landbridge_failed_last_hour": ("Attempts of the last hour's runs that failed, for good or for now.", ("flow",)),
    "landbridge_attempts_recent": ("Attempts of the last five minutes by outcome.", ("outcome",)),
    "landbridge_flow_paused": ("1 while a flow is paused.", ("flow",)),
    "landbridge_route_paused": ("1 while a route is paused, for that cause.", ("route", "cause")),
    "landbridge_breaker_open": ("1 while a system that fails is left alone; 0: its last calls failed.", ("system",)),
    "landbridge_feed_read_age_seconds": ("Time since the feed was last read.", ("system", "entity")),
    "landbridge_rate_budget_left": ("Requests that the system's rate budget lets go now.", ("system",)),
    "landbridge_rate_blocked_seconds": ("How long the system told us to stay away.", ("system",)),
    "landbridge_reconcile_differences": ("What the last reconcile of the flow found, by kind.", ("flow", "kind")),
    "landbridge_reconcile_age_seconds": ("Time since the last reconcile of the flow began.", ("flow",)),
}  # fmt: skip
"""Every metric: what it says, and its labels."""


def exposition(store: Store, more: Sequence[Source] = ()) -> bytes:
    """Every metric as Prometheus reads it, as things stand now; `more` are those of installed packages."""
    registry = CollectorRegistry()
    registry.register(_FromStore(store, more))
    return generate_latest(registry)


class _FromStore(Collector):
    def __init__(self, store: Store, more: Sequence[Source]) -> None:
        self._store, self._more = store, more
        self._metrics = dict(METRICS)
        for source in more:
            self._metrics |= source.metrics

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The names alone, so that registering asks nothing of the store."""
        return iter([_family(name, self._metrics) for name in self._metrics])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One reading of the store, every metric of it."""
        families = {name: _family(name, self._metrics) for name in self._metrics}
        for name, labels, value in self._samples(self._store.clock.now()):
            families[name].add_metric(labels, value)
        yield from families.values()

    def _samples(self, now: datetime) -> Iterator[Sample]:
        yield from _samples(self._store, now)
        for source in self._more:
            with self._store.reading() as connection:
                yield from source.samples(connection, now)


def _family(name: str, metrics: Mapping[str, tuple[str, tuple[str, ...]]]) -> GaugeMetricFamily:
    said, labels = metrics[name]
    return GaugeMetricFamily(name, said, labels=labels)


def _samples(store: Store, now: datetime) -> Iterator[Sample]:
    with store.reading() as connection:
        for row in figures.open_rows(connection):
            yield "landbridge_messages", (row.flow, row.route, row.state), row.n
        lag: dict[str, float] = {}
        for feed in figures.feeds(connection):
            yield "landbridge_received_waiting", (feed.system, feed.entity), feed.waiting
            if feed.read_at is not None:
                yield "landbridge_feed_read_age_seconds", (feed.system, feed.entity), _age(feed.read_at, now)
            lag |= {flow: _age(feed.oldest, now) for flow in feed.flows}
        oldest, hour = figures.oldest_open(connection), figures.last_hour(connection, now)
        paused = control.paused(connection)
        for flow in sorted(lag):
            counts = hour.get(flow, {})
            yield "landbridge_lag_seconds", (flow,), lag[flow]
            yield "landbridge_oldest_open_seconds", (flow,), _age(oldest.get(flow), now)
            yield "landbridge_delivered_last_hour", (flow,), sum(counts.get(word, 0) for word in WRITTEN)
            yield "landbridge_failed_last_hour", (flow,), sum(counts.get(word, 0) for word in FAILED)
            yield "landbridge_flow_paused", (flow,), float(flow in paused)
        for route, causes in control.paused_routes(connection).items():
            for cause in causes:
                yield "landbridge_route_paused", (route, cause), 1.0
        for system, one in breakers.standing(connection).items():
            yield "landbridge_breaker_open", (system,), float(one.open_until is not None)
        for outcome, number in figures.recent_attempts(connection, now).items():
            yield "landbridge_attempts_recent", (outcome,), number
        for one in figures.budgets(connection, now):
            yield "landbridge_rate_budget_left", (one.system,), float(one.tokens)
            yield "landbridge_rate_blocked_seconds", (one.system,), float(one.blocked or 0)
        for one in figures.reconciles(connection):
            yield "landbridge_reconcile_age_seconds", (one.flow,), _age(one.started_at, now)
            for kind in KINDS:
                yield "landbridge_reconcile_differences", (one.flow, kind), (one.counts or {}).get(kind, 0)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
