"""From a system's configuration to its `Http`."""

from __future__ import annotations

from pydantic import BaseModel

from landbridge.net._address import addresses_of
from landbridge.net._budget import Budget, LocalBudget
from landbridge.net._http import Http
from landbridge.net._settings import NetSettings
from landbridge.time import Clock

_NOWHERE = "https://nowhere.invalid"  # RFC 2606: no name server knows it


def open_http(
    system: str, config: BaseModel, settings: NetSettings | None = None, *, clock: Clock, budget: Budget | None = None
) -> Http:
    """The `Http` of a system: it reaches the `Url` fields of its configuration, the first being the base.

    Without a budget the rate of the settings is kept by this process alone. A configuration with `speaks_http = False`
    (a database's own protocol) gets an `Http` that reaches nothing and keeps its settings and its budget.
    """
    settings = settings or NetSettings()
    addresses = addresses_of(config)
    if not addresses and not getattr(config, "speaks_http", True):
        addresses = [_NOWHERE]
    if not addresses:
        raise ValueError(f"{type(config).__name__} has no field of type Url; a connector must say what it reaches")
    if budget is None and settings.rate is not None:
        budget = LocalBudget(settings.rate, clock)
    return Http(system, addresses[0], settings, clock=clock, budget=budget, allowed=addresses[1:])
