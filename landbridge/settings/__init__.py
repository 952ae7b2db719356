"""Everything under `config/`, read strictly, checked against each other, and frozen."""

from landbridge.settings._duration import Duration, Size, format_duration, parse_duration, parse_size
from landbridge.settings._flow import Check, Derive, Extract, Flow, ResolvePolicy, Retry, Route, Start, Unknown
from landbridge.settings._installation import Installation, Limits, Retention, Store
from landbridge.settings._ownership import Change, ChangeAction, EntityOwnership, FieldOwner, Ownership
from landbridge.settings._system import Budget, Override, System, SystemEntry

__all__ = [
    "Budget",
    "Change",
    "ChangeAction",
    "Check",
    "Derive",
    "Duration",
    "EntityOwnership",
    "Extract",
    "FieldOwner",
    "Flow",
    "Installation",
    "Limits",
    "Override",
    "Ownership",
    "ResolvePolicy",
    "Retention",
    "Retry",
    "Route",
    "Size",
    "Start",
    "Store",
    "System",
    "SystemEntry",
    "Unknown",
    "format_duration",
    "parse_duration",
    "parse_size",
]
