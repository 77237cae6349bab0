"""What Prometheus is told: requests by route and status, their duration, open WebSockets, and the database pool.

Counters of a domain (password verifications, for one) live in the domain, in the same default registry.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from nexa_core import db

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

requests = Counter("nexa_http_requests", "HTTP requests answered.", ["method", "route", "status"])
duration = Histogram("nexa_http_request_seconds", "Time to the end of the answer, in seconds.", ["method", "route"])
open_websockets = Gauge("nexa_open_websockets", "WebSockets open just now.", ["kind"])


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request; ``route`` is a template, never a path, so that strangers cannot invent series."""
    method = method if method in _METHODS else "OTHER"
    requests.labels(method, route, str(status)).inc()
    duration.labels(method, route).observe(seconds)


def exposition() -> bytes:
    """Everything, in the text format of Prometheus."""
    return generate_latest(REGISTRY)


class _Pool(Collector):
    """The database pool at the moment of the scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            status = db.pool_status()
        except RuntimeError:  # no database is configured yet
            return
        family = GaugeMetricFamily(
            "nexa_database_connections", "Connections of the pool, by what they do.", labels=["state"]
        )
        for state, connections in status.items():
            family.add_metric([state], connections)
        yield family


REGISTRY.register(_Pool())
