"""Everything under `config/`, read strictly, checked against each other, and frozen.

`Settings.load` reads all of it; `load_flow` reads one flow within milliseconds. Names are imported when first used,
so that a DAG file that needs one flow pays for nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landbridge.settings._duration import Duration, Size, format_duration, format_size, parse_duration, parse_size
    from landbridge.settings._files import flow_names, load_flow
    from landbridge.settings._flow import Check, Derive, Extract, Flow, ResolvePolicy, Retry, Route, Start, Unknown
    from landbridge.settings._installation import Installation, Retention, Store
    from landbridge.settings._ownership import Change, ChangeAction, EntityOwnership, FieldOwner, Ownership
    from landbridge.settings._settings import Settings
    from landbridge.settings._system import Override, System, SystemEntry

_MODULES = {
    "_duration": ("Duration", "Size", "format_duration", "format_size", "parse_duration", "parse_size"),
    "_files": ("flow_names", "load_flow"),
    "_flow": ("Check", "Derive", "Extract", "Flow", "ResolvePolicy", "Retry", "Route", "Start", "Unknown"),
    "_installation": ("Installation", "Retention", "Store"),
    "_ownership": ("Change", "ChangeAction", "EntityOwnership", "FieldOwner", "Ownership"),
    "_settings": ("Settings",),
    "_system": ("Override", "System", "SystemEntry"),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
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
    "Override",
    "Ownership",
    "ResolvePolicy",
    "Retention",
    "Retry",
    "Route",
    "Settings",
    "Size",
    "Start",
    "Store",
    "System",
    "SystemEntry",
    "Unknown",
    "flow_names",
    "format_duration",
    "format_size",
    "load_flow",
    "parse_duration",
    "parse_size",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value
